"""signaling-server's STOMP broker and stomp.py, over TCP in every version of the protocol and over a WebSocket."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid

import pytest
import stomp
import stomp.adapter.ws
import websockets
import websockets.sync.client
from harness import DEADLINE, Deadline
from signaling import serve

TCP = [stomp.StompConnection10, stomp.StompConnection11, stomp.StompConnection12]


@pytest.fixture(scope="module")
def server():
    server = serve("--stomp", "127.0.0.1:0")
    found = next(re.search(r"stomp://127\.0\.0\.1:(\d+)", line) for line in server.lines if "stomp://" in line)
    server.stomp = ("127.0.0.1", int(found[1]))
    yield server
    assert server.stop() == 0


class Client(stomp.ConnectionListener):
    """A connection and all that came by it."""

    def __init__(self, server, kind=stomp.StompConnection12, login="guest", connect=True, **options) -> None:
        self.frames: list[tuple[str, stomp.utils.Frame]] = []
        self.changed = threading.Condition()
        if kind is stomp.adapter.ws.WSStompConnection:
            host, port = server.url.split("/")[2].split(":")
            self.connection = kind([(host, int(port))], ws_path="/stomp", ws=None, **options)
        else:
            self.connection = kind([server.stomp], reconnect_attempts_max=1, **options)
        self.connection.set_listener("", self)
        if connect:
            self.connection.connect(login, "secret", wait=True)

    def _note(self, kind, frame=None):
        with self.changed:
            self.frames.append((kind, frame))
            self.changed.notify_all()

    def on_connected(self, frame):
        self._note("connected", frame)

    def on_message(self, frame):
        self._note("message", frame)

    def on_receipt(self, frame):
        self._note("receipt", frame)

    def on_error(self, frame):
        self._note("error", frame)

    def on_heartbeat(self):
        self._note("heartbeat")

    def on_disconnected(self):
        self._note("disconnected")

    def of(self, kind):
        with self.changed:
            return [frame for name, frame in self.frames if name == kind]

    def wait(self, kind, count=1):
        """The frames of a kind, once there are so many."""
        deadline = time.monotonic() + DEADLINE
        with self.changed:
            while sum(name == kind for name, _ in self.frames) < count:
                if not self.changed.wait(deadline - time.monotonic()):
                    raise Deadline(f"{count} times {kind}: only {self.frames}")
        return self.of(kind)

    def receipt(self, action, *arguments, **options):
        """Does something with a receipt and waits for that."""
        name = str(uuid.uuid4())
        action(*arguments, receipt=name, **options)
        deadline = time.monotonic() + DEADLINE
        with self.changed:
            while not any(k == "receipt" and f.headers["receipt-id"] == name for k, f in self.frames):
                # After the end none comes.
                is_over = any(k == "disconnected" for k, _ in self.frames)
                if is_over or not self.changed.wait(deadline - time.monotonic()):
                    raise Deadline(f"no receipt: {self.frames}")

    def subscribe(self, destination, name="1", **options):
        self.receipt(self.connection.subscribe, destination, id=name, **options)

    def send(self, destination, body, **options):
        self.receipt(self.connection.send, destination, body, **options)

    def bodies(self, count):
        return [frame.body for frame in self.wait("message", count)]

    def close(self):
        self.connection.disconnect(receipt=str(uuid.uuid4()))


@pytest.mark.parametrize("kind", TCP + [stomp.adapter.ws.WSStompConnection])
def test_topic_and_headers(server, kind):
    topic = f"/topic/{uuid.uuid4()}"
    client, other = Client(server, kind), Client(server)
    client.subscribe(topic)
    other.subscribe(topic)
    text = "grüße\nzweite zeile"
    client.send(topic, text, headers={"plain": "value"})
    other.send(topic, "second", headers={"odd": "a\nb\\c:d"})
    assert client.bodies(2) == other.bodies(2) == [text, "second"]
    assert other.of("message")[0].headers["plain"] == "value"
    assert other.of("message")[1].headers["odd"] == "a\nb\\c:d"
    client.close()
    other.close()


@pytest.mark.parametrize("kind", TCP[1:] + [stomp.adapter.ws.WSStompConnection])
def test_what_is_not_acknowledged_is_given_to_the_next(server, kind):
    queue = f"/queue/{uuid.uuid4()}"
    sender, first = Client(server), Client(server, kind)
    for number in range(3):
        sender.send(queue, str(number))
    first.subscribe(queue, ack="client-individual")
    messages = first.wait("message", 3)
    is_new = kind is not stomp.StompConnection11
    acknowledge = [messages[1].headers["ack"]] if is_new else [messages[1].headers["message-id"], "1"]
    first.receipt(first.connection.ack, *acknowledge)
    first.close()
    second = Client(server, kind)
    second.subscribe(queue, ack="auto")
    assert second.bodies(2) == ["0", "2"]
    second.close()
    sender.close()


def test_transactions(server):
    topic = f"/topic/{uuid.uuid4()}"
    client = Client(server)
    client.subscribe(topic)
    for end in (client.connection.abort, client.connection.commit):
        transaction = client.connection.begin()
        client.send(topic, end.__name__, transaction=transaction)
        end(transaction)
    client.send(topic, "last")
    assert client.bodies(2) == ["commit", "last"]
    client.close()


@pytest.mark.parametrize("kind", [stomp.StompConnection12, stomp.adapter.ws.WSStompConnection])
def test_heartbeats_keep_a_connection(server, kind):
    client = Client(server, kind, heartbeats=(1000, 1000))
    client.wait("heartbeat", 1)
    client.send("/topic/heart", "beats")
    client.close()


def test_users_and_sessions(server):
    bob, phone, eve = (Client(server, login=name) for name in ("bob", "bob", "eve"))
    for client in (bob, phone, eve):
        client.subscribe("/user/queue/sdp")
    eve.send("/user/bob/queue/sdp", "to bob")
    session = phone.of("connected")[0].headers["session"]
    eve.send(f"/user/{session}/queue/sdp", "to the phone")
    assert phone.bodies(2) == ["to bob", "to the phone"]
    eve.send("/user/bob/queue/sdp", "end")
    assert bob.bodies(2) == ["to bob", "end"]
    assert eve.of("message") == []
    for client in (bob, phone, eve):
        client.close()


def test_the_application_answers_who_asked(server):
    client = Client(server)
    client.subscribe("/user/queue/echo")
    client.send("/app/echo", "to the server")
    assert client.bodies(1) == ["to the server"]
    client.close()


def test_who_may_not_hears_why(server):
    stranger = Client(server, connect=False)
    with pytest.raises(stomp.exception.ConnectFailedException):
        stranger.connection.connect("nobody", "secret", wait=True)
    assert stranger.wait("error")[0].body == "unknown user"
    guest = Client(server)
    guest.connection.subscribe("/topic/secret", id="1")
    assert guest.wait("error")[0].body == "not for guests"
    guest.wait("disconnected")


def test_over_sockjs(server):
    url = server.url.replace("http:", "ws:") + f"stomp-sockjs/000/{uuid.uuid4()}/websocket"
    with websockets.sync.client.connect(url, open_timeout=DEADLINE, compression=None) as client:
        assert client.recv(DEADLINE) == "o"
        client.send(json.dumps(["CONNECT\naccept-version:1.2\nlogin:guest\n\n\0"]))
        assert "CONNECTED\nversion:1.2\n" in json.loads(client.recv(DEADLINE)[1:])[0]
        client.send(json.dumps(["DISCONNECT\nreceipt:r\n\n\0"]))
        assert json.loads(client.recv(DEADLINE)[1:]) == ["RECEIPT\nreceipt-id:r\n\n\0"]
        assert client.recv(DEADLINE) == 'c[1000,""]'
