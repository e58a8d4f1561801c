"""Our client of Socket.IO against python-socketio's server, of Socket.IO 2."""

from __future__ import annotations

import base64
import contextlib
import http.server
import os
import threading

import pytest
from harness import wait_until
from socketio_agent import AgentFailure, SocketIOAgent, SocketIOServer

TRANSPORTS = {
    "upgrade": {}, "websocket": {"transport": "websocket"}, "polling": {"transport": "polling"},
    "polling-base64": {"transport": "polling", "base64": True},
    "websocket-base64": {"transport": "websocket", "base64": True},
}
ALL = pytest.mark.parametrize("options", TRANSPORTS.values(), ids=TRANSPORTS)


@pytest.fixture(scope="module")
def server():
    with SocketIOServer() as server:
        yield server


def connect(server, **options) -> SocketIOAgent:
    agent = SocketIOAgent(server.url, **options)
    namespace = options.get("namespace", "/")
    agent.next("connected", namespace)
    assert agent.receive(namespace)[0] == "welcome"
    return agent


@ALL
def test_events_come_back_in_order_and_are_acknowledged(server, options):
    with connect(server, **options) as agent:
        carrier = "polling" if options.get("transport") == "polling" else "websocket"
        wait_until(lambda: agent.request("carrier") == carrier, carrier)
        value = {"text": "ü € \U0001F600 \u2028 \"", "list": [1, -2.5, True, None, {"deep": [[]]}], "empty": ""}
        agent.emit("message", "first", value)
        assert agent.receive() == ["message", "first", value]
        for number in range(300):
            agent.emit("message", number, "\U0001F600")
        assert [agent.receive()[1] for _ in range(300)] == list(range(300))
        assert agent.ask("message", value) == [value]
        assert agent.receive() == ["message", value]


@ALL
def test_bytes_come_back(server, options):
    def binary(size):
        return {"base64": base64.b64encode(os.urandom(size)).decode()}

    with connect(server, **options) as agent:
        files = {"name": "ä", "parts": [binary(1), binary(70_000)], "last": binary(2)}
        agent.emit("message", files, binary(3))
        agent.emit("message", "behind")
        received = agent.receive()
        assert received[1] == files and received[2]["base64"]
        assert agent.receive() == ["message", "behind"]
        assert agent.ask("message", files) == [files]


@ALL
def test_the_server_asks_and_is_answered(server, options):
    with connect(server, **options) as agent:
        agent.emit("ask", {"what": "now"})
        assert agent.receive() == ["question", {"what": "now"}]
        assert agent.receive() == ["answered", "heard", [{"what": "now"}]]


def test_a_quiet_session_is_kept_by_signs_of_life():
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(SocketIOServer(ping_interval=[1, 9], ping_timeout=10))
        agents = {name: stack.enter_context(connect(server, **options)) for name, options in TRANSPORTS.items()}
        # Longer than the server waits for them, with its grace.
        silences = [agent.start("ask", name="silence", arguments=[None], timeout=12_000) for agent in agents.values()]
        for silence in silences:
            with pytest.raises(AgentFailure, match="no answer in time"):
                silence()
        for name, agent in agents.items():
            assert agent.ask("message", "still here") == ["still here"], name
            assert agent.states.qsize() <= 2, (name, list(agent.states.queue))


@ALL
def test_namespaces(server, options):
    with connect(server, **options) as agent:
        agent.request("open", namespace="/members")
        agent.next("connected", "/members")
        assert agent.receive("/members") == ["welcome", "member"]
        assert agent.ask("message", "m", namespace="/members") == ["m"]
        assert agent.receive("/members") == ["message", "m"]
        with pytest.raises(AgentFailure, match="refused the namespace: members only"):
            agent.request("open", namespace="/closed")
        agent.emit("leave me", namespace="/members")
        assert "took the namespace away" in agent.next("disconnected", "/members")["reason"]
        assert agent.ask("message", "root") == ["root"]


def test_a_namespace_without_the_root(server):
    with SocketIOAgent(server.url, namespace="/members") as agent:
        agent.next("connected", "/members")
        assert agent.receive("/members") == ["welcome", "member"]
        assert agent.ask("message", 1, namespace="/members") == [1]


# Over requests this server may answer the poll that would bring the news with 500.
@pytest.mark.parametrize("transport", ["upgrade", "websocket"])
def test_the_server_disconnects_the_client(server, transport):
    options = {"transport": transport}
    with connect(server, **options) as agent:
        wait_until(lambda: agent.request("carrier") == "websocket", "websocket")
        agent.emit("leave me")
        assert "took the namespace away" in agent.next("disconnected")["reason"]
        assert agent.wait_for_state("over")["reason"] is None


@ALL
def test_a_client_that_closes_is_gone_for_the_server(options):
    with SocketIOServer() as server, connect(server, **options) as watcher:
        assert watcher.ask("count") == [1]
        with connect(server, **options) as agent:
            assert watcher.ask("count") == [2]
            for _ in range(20):
                agent.emit("message", "x" * 1000)
            assert agent.request("close") == 0
        wait_until(lambda: watcher.ask("count") == [1], "departure")


@ALL
def test_query_and_headers_reach_the_server(options):
    with SocketIOServer(token="right") as server:
        url = server.url
        with pytest.raises(AgentFailure, match="401"):
            SocketIOAgent(url + "/?token=wrong", **options)
        with SocketIOAgent(url + "/socket.io/?token=right", headers={"X-Test": "yes"}, **options) as agent:
            agent.next("connected")
            assert agent.receive() == ["welcome", {"people": 1, "header": "yes"}]


@ALL
def test_a_restart_of_the_server(options):
    with SocketIOServer() as server, connect(server, **options) as agent:
        assert agent.ask("message", 1) == [1]
        agent.receive()
        pending = agent.start("ask", name="silence", arguments=[])
        # Answered behind the question: the server has both.
        assert agent.ask("count") == [1]
        server.kill()
        assert agent.next("interrupted")["unconfirmed"] == 0
        with pytest.raises(AgentFailure, match="session was lost"):
            pending()
        for number in range(5):
            agent.emit("message", "kept", number)
        later = agent.start("ask", name="count", arguments=[])
        agent.wait_for_state("waiting")
        server.restart()
        agent.next("connected")
        assert agent.receive()[0] == "welcome"
        assert [agent.receive() for _ in range(5)] == [["message", "kept", number] for number in range(5)]
        assert later() == [1]


@ALL
def test_what_waits_for_a_server_is_bounded(options):
    with SocketIOServer() as server, connect(server, maximumQueuedEvents=3, **options) as agent:
        server.kill()
        agent.next("interrupted")
        for number in range(3):
            agent.emit("message", number)
        with pytest.raises(AgentFailure, match="too many events"):
            agent.emit("message", "too much")
        assert agent.request("close") == 3


@ALL
def test_a_message_that_is_too_large_ends_the_session(server, options):
    with connect(server, maximumMessageSize=10_000, **options) as agent:
        agent.emit("message", "x" * 20_000)
        assert "broke the protocol" in agent.next("interrupted")["reason"]
        agent.next("connected")


NEWER = {
    "node": '{"code":5,"message":"Unsupported protocol version"}',
    "python": '"The client is using an unsupported version of the Socket.IO or Engine.IO protocols"',
}


@pytest.mark.parametrize("answer", NEWER.values(), ids=NEWER)
@pytest.mark.parametrize("transport", ["upgrade", "websocket", "polling"])
def test_newer_servers_are_refused_with_a_clear_error(answer, transport):
    """Servers of Socket.IO 3 and later say this, to requests and to WebSockets."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(400)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_):
            pass

    newer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=newer.serve_forever, daemon=True).start()
    try:
        with pytest.raises(AgentFailure, match="does not speak Engine.IO 3"):
            SocketIOAgent(f"http://127.0.0.1:{newer.server_port}", transport=transport)
    finally:
        newer.shutdown()
