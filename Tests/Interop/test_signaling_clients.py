"""Our clients against servers of other libraries: Python's websockets, Node's sockjs, RabbitMQ."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest
import stomp
import websockets.sync.server
from coturn import Certificates
from harness import DEADLINE, HERE
from rabbitmq import PASSWORD, USER, RabbitMQ
from signaling import serve
from signaling_client import Client, exchange


@pytest.fixture(scope="module")
def websocket_url():
    def echo(connection):
        for message in connection:
            connection.send(message)

    with websockets.sync.server.serve(echo, "127.0.0.1", 0, ping_interval=1) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()


def test_a_thousand_messages_to_another_websocket_server(websocket_url):
    with Client(websocket_url, "--by", "websocket") as client:
        exchange(client)
        client.close()


def test_large_messages_to_another_websocket_server(websocket_url):
    with Client(websocket_url, "--by", "websocket") as client:
        for size in (125, 126, 65535, 65536, 200_000):
            client.send("x" * size)
            assert client.receive() == "x" * size
        client.close()


@pytest.fixture(scope="module")
def node_url():
    node = subprocess.Popen(
        ["node", str(HERE / "peers" / "sockjs-server.cjs")], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
        env=dict(os.environ, NODE_PATH="/usr/share/nodejs"),
    )
    yield node.stdout.readline().strip()
    node.stdin.close()
    try:
        node.wait(DEADLINE)
    finally:
        node.kill()


@pytest.mark.parametrize("by", ["sockjs", "sockjs-websocket", "sockjs-streaming", "sockjs-polling"])
def test_a_thousand_messages_to_nodes_sockjs(node_url, by):
    with Client(node_url + "/echo", "--by", by) as client:
        names = {"sockjs-streaming": "xhr_streaming", "sockjs-polling": "xhr"}
        assert client.by == names.get(by, "websocket")
        exchange(client)
        client.close()


def test_nodes_sockjs_without_websockets_is_streamed_from(node_url):
    with Client(node_url + "/plain", "--by", "sockjs") as client:
        assert client.by == "xhr_streaming"
        exchange(client, 10)
        client.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory, certificates):
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq"), certificates) as rabbit:
        yield rabbit


RABBIT = ["--by", "stomp", "--login", USER, "--passcode", PASSWORD, "--virtual-host", "/"]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("destination", ["/topic/lines", "/queue/lines"])
def test_rabbitmq_in_each_version(rabbit, version, destination):
    url = f"stomp://127.0.0.1:{rabbit.port}"
    destination = f"{destination}-{version}"
    with Client(url, *RABBIT, "--stomp-version", version, "--destination", destination) as client:
        assert client.by == f"STOMP {version}"
        exchange(client, 100)
        client.close()


def test_rabbitmq_over_websocket_and_tls(rabbit, certificates):
    urls = {f"ws://127.0.0.1:{rabbit.web_port}/ws": [], f"stomps://localhost:{rabbit.tls_port}": ["--ca", str(certificates.authority)]}
    for url, options in urls.items():
        with Client(url, *RABBIT, *options) as client:
            assert client.by == "STOMP 1.2"
            exchange(client, 100)
            client.close()


def test_rabbitmq_and_another_client(rabbit):
    class Listener(stomp.ConnectionListener):
        def on_message(self, frame):
            other.send("/topic/answers", frame.body.upper())

    other = stomp.Connection12([("127.0.0.1", rabbit.port)], vhost="/")
    other.set_listener("", Listener())
    other.connect(USER, PASSWORD, wait=True)
    other.subscribe("/topic/answers", id=1)
    with Client(f"stomp://127.0.0.1:{rabbit.port}", *RABBIT, "--destination", "/topic/answers") as client:
        client.send("once")
        assert {client.receive() for _ in range(3)} == {"once", "ONCE"}
    other.disconnect()


def test_a_wrong_password_is_refused_with_the_brokers_words(rabbit):
    wrong = ["--by", "stomp", "--login", USER, "--passcode", "wrong", "--virtual-host", "/"]
    with pytest.raises(AssertionError, match="Bad CONNECT|Access refused"):
        Client(f"stomp://127.0.0.1:{rabbit.port}", *wrong)


@pytest.fixture(scope="module")
def ours():
    server = serve()
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("by", ["automatic", "websocket", "event-stream", "long-polling", "polling"])
def test_our_own_server_by_every_way(ours, by):
    url = ours.url.rstrip("/") + "/signal/echo"
    with Client(url.replace("http", "ws") if by == "websocket" else url, "--by", by) as client:
        assert client.by == ("webSocket" if by == "automatic" else by)
        exchange(client)
        client.close()


@pytest.mark.parametrize("by", ["socketio", "socketio-websocket", "socketio-polling"])
def test_our_own_server_by_socketio(ours, by):
    with Client(ours.url, "--by", by, "--namespace", "/echo", "--event", "line") as client:
        assert client.by == by
        exchange(client)
        client.close()


def test_tls_by_every_way_with_the_authority_and_not_without(certificates):
    server = serve("--tls-certificate", str(certificates.certificate), "--tls-key", str(certificates.key))
    try:
        port = server.url.rsplit(":", 1)[1].rstrip("/")
        for host in ("localhost", "127.0.0.1"):
            base = f"https://{host}:{port}"
            ways = {"websocket": "/signal/echo", "event-stream": "/signal/echo", "sockjs": "/echo", "sockjs-streaming": "/echo"}
            for by, path in ways.items():
                url = base.replace("https", "wss") + path if by == "websocket" else base + path
                with Client(url, "--by", by, "--ca", str(certificates.authority)) as client:
                    exchange(client, 10)
                    client.close()
                with pytest.raises(AssertionError, match="(?i)certificate"):
                    Client(url, "--by", by)
            for by in ("socketio", "socketio-websocket"):
                options = ["--by", by, "--namespace", "/echo", "--event", "line"]
                with Client(base, *options, "--ca", str(certificates.authority)) as client:
                    exchange(client, 10)
                    client.close()
                with pytest.raises(AssertionError, match="(?i)certificate"):
                    Client(base, *options)
    finally:
        assert server.stop() == 0
