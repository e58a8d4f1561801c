"""Our clients against servers of other libraries: Python's websockets, Node's sockjs, RabbitMQ."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest
import stomp
import websockets.sync.server
from coturn import Certificates
from cutting_proxy import CuttingProxy
from harness import DEADLINE, HERE
from rabbitmq import PASSWORD, USER, RabbitMQ
from signaling import serve
from signaling_client import Client, exchange
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory


# What works in the end works at the first attempt, however busy the machine is.
PATIENT = ["--attempt", "10"]


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


class CompressingServer:
    """An echo of the library websockets with parameters of compression, which counts compressed messages and says what was agreed."""

    def __init__(self, **parameters) -> None:
        self.agreed: list[PerMessageDeflate] = []
        self.compressed = 0
        factory = ServerPerMessageDeflateFactory(**parameters)
        process = factory.process_request_params

        def noting(*arguments):
            answer, extension = process(*arguments)
            self._note(extension)
            return answer, extension

        factory.process_request_params = noting
        self._server = websockets.sync.server.serve(self._echo, "127.0.0.1", 0, compression=None, extensions=[factory])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/"

    @staticmethod
    def _echo(connection) -> None:
        for message in connection:
            connection.send("\0" * (64 << 20) if message == "bomb" else message)

    def _note(self, extension: PerMessageDeflate) -> None:
        decode = extension.decode

        def counting(frame, **options):
            self.compressed += frame.rsv1
            return decode(frame, **options)

        extension.decode = counting
        self.agreed.append(extension)

    def __enter__(self) -> CompressingServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


@pytest.mark.parametrize("options, parameters, agreed", [
    ([], {}, (False, False, 12, 12)),
    ([], {"server_max_window_bits": 9, "client_max_window_bits": 9}, (False, False, 9, 9)),
    ([], {"server_no_context_takeover": True, "client_no_context_takeover": True}, (True, True, 12, 12)),
    (["--compression-window", "15"], {}, (False, False, 15, 15)),
    (["--compression-window", "9"], {"server_max_window_bits": 15, "client_max_window_bits": 15}, (False, False, 9, 9)),
    (["--no-context-takeover"], {}, (True, True, 12, 12)),
])
def test_compressed_messages_to_another_websocket_server(options, parameters, agreed):
    with CompressingServer(**parameters) as server:
        with Client(server.url, "--by", "websocket", "--compress", *options) as client:
            lines = [f"{number} again and again é\U0001F600 " * (20 + number) for number in range(100)]
            lines += ["short", "x" * 200_000]
            sender = threading.Thread(target=client.send, args=lines)
            sender.start()
            for line in lines:
                assert client.receive() == line
            sender.join()
            client.close()
        found = server.agreed[0]
        # Of the library's view, which is the server's.
        assert (found.local_no_context_takeover, found.remote_no_context_takeover) == agreed[:2]
        assert (found.local_max_window_bits, found.remote_max_window_bits) == agreed[2:]
        assert server.compressed == 101


def test_a_server_without_compression_and_a_client_without(websocket_url):
    with CompressingServer() as server:
        with Client(server.url, "--by", "websocket") as client:
            exchange(client, 10)
            client.close()
        assert server.agreed == []
    with websockets.sync.server.serve(lambda connection: connection.send("hello"), "127.0.0.1", 0, compression=None) as plain:
        threading.Thread(target=plain.serve_forever, daemon=True).start()
        with Client(f"ws://127.0.0.1:{plain.socket.getsockname()[1]}/", "--by", "websocket", "--compress") as client:
            assert client.receive() == "hello"
        plain.shutdown()


def test_a_message_that_is_too_large_once_it_is_decompressed_ends_the_connection():
    with CompressingServer() as server, Client(server.url, "--by", "websocket", "--compress") as client:
        client.send("bomb")
        assert client.receive() is None
        assert client.process.wait(DEADLINE) != 0
        assert "a message is too large" in client.process.stderr.read()


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
    with Client(node_url + "/echo", "--by", by, *PATIENT) as client:
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
            if frame.body == "once":
                other.send("/topic/answers", "ONCE")

        def on_receipt(self, frame):
            subscribed.set()

    subscribed = threading.Event()
    other = stomp.Connection12([("127.0.0.1", rabbit.port)], vhost="/")
    other.set_listener("", Listener())
    other.connect(USER, PASSWORD, wait=True)
    other.subscribe("/topic/answers", id=1, receipt="subscribed")
    assert subscribed.wait(DEADLINE), "no receipt"
    with Client(f"stomp://127.0.0.1:{rabbit.port}", *RABBIT, "--destination", "/topic/answers") as client:
        client.send("once")
        assert sorted(client.receive() for _ in range(2)) == ["ONCE", "once"]
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
    with Client(url.replace("http", "ws") if by == "websocket" else url, "--by", by, *PATIENT) as client:
        assert client.by == ("webSocket" if by == "automatic" else by)
        exchange(client)
        client.close()


@pytest.mark.parametrize("by, path, found", [("automatic", "/signal/echo", "eventStream"), ("sockjs", "/echo", "xhr_streaming")])
@pytest.mark.parametrize("holds", [False, True])
def test_where_websockets_are_cut_or_held_up_on_the_way_requests_are_made(ours, by, path, found, holds):
    host, port = ours.url.split("/")[2].rsplit(":", 1)
    proxy = CuttingProxy((host, int(port)), holds)
    try:
        with Client(proxy.url.rstrip("/") + path, "--by", by, *PATIENT) as client:
            assert client.by == found
            assert proxy.cut == 1, "no WebSocket was tried"
            exchange(client, 100)
            client.close()
    finally:
        proxy.stop()


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
