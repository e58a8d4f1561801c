"""signaling-server's polling and server-sent events, with a client that has nothing but the standard library."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest
from harness import DEADLINE
from signaling import serve


@pytest.fixture(scope="module")
def server():
    server = serve()
    yield server
    assert server.stop() == 0


def request(method: str, url: str, body: bytes | None = None, **headers: str):
    made = urllib.request.Request(url, data=body, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        return urllib.request.urlopen(made, timeout=DEADLINE)
    except urllib.error.HTTPError as error:
        return error


class Session:
    def __init__(self, server, path: str = "/signal/echo") -> None:
        self.base = server.url.rstrip("/")
        with request("POST", self.base + path) as response:
            assert response.status == 201
            self.url = self.base + response.headers["Location"]

    def get(self, after: int, wait: int | None = None):
        with request("GET", f"{self.url}?after={after}" + (f"&wait={wait}" if wait else "")) as response:
            return response.status, json.loads(response.read()), response.headers

    def post(self, number: int, *messages: str):
        body = json.dumps(messages).encode()
        with request("POST", f"{self.url}?id={number}", body, Content_Type="application/json") as response:
            return response.status, json.loads(response.read())


@pytest.mark.parametrize("wait", [None, 10])
def test_a_thousand_messages_come_back_once_and_in_order(server, wait):
    session = Session(server)
    heard, after = [], 0
    for first in range(1, 1001, 50):
        assert session.post(first, *(f"é{n}" for n in range(first, first + 50))) == (200, {"received": first + 49})
        while after < first + 49:
            status, answer, _ = session.get(after, wait)
            assert status == 200 and answer["last"] == after + len(answer["messages"])
            heard += answer["messages"]
            after = answer["last"]
    assert heard == [f"é{n}" for n in range(1, 1001)]


def test_a_response_that_is_lost_loses_nothing(server):
    session = Session(server)
    host, port = server.url.split("/")[2].rsplit(":", 1)
    heard, after = [], 0
    for number in range(1, 51):
        session.post(number, f"message {number}")
        # Somebody who asks, and is gone before the answer or in the middle of it.
        lost = socket.create_connection((host, int(port)), DEADLINE)
        path = session.url.removeprefix(session.base)
        lost.sendall(f"GET {path}?after={after}&wait=5 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if number % 2:
            lost.recv(10)
        lost.close()
        # The sender's answer gets lost, too, so it sends again.
        assert session.post(number, f"message {number}") == (200, {"received": number})
        while after < number:
            _, answer, _ = session.get(after, 5)
            heard += answer["messages"]
            after = answer["last"]
    assert heard == [f"message {number}" for number in range(1, 51)]


def test_a_held_request_is_answered_at_once_when_there_is_something(server):
    session = Session(server)
    timer = threading.Timer(0.5, session.post, (1, "late"))
    begun = time.monotonic()
    timer.start()
    _, answer, _ = session.get(0, 20)
    assert answer == {"last": 1, "messages": ["late"]}
    assert time.monotonic() - begun < 15
    _, answer, headers = session.get(1)
    assert answer == {"last": 1, "messages": []} and int(headers["Retry-After"]) >= 1


class Events:
    """A stream of events as browsers read it, as far as the test needs it."""

    def __init__(self, url: str, last: str | None = None) -> None:
        headers = {"Accept": "text/event-stream"} | ({"Last_Event_ID": last} if last else {})
        self.response = request("GET", url, **headers)
        assert self.response.headers["Content-Type"] == "text/event-stream"

    def next(self) -> dict[str, str] | None:
        event: dict[str, str] = {}
        for line in self.response:
            text = line.decode().rstrip("\n")
            if not text and "data" in event:
                return event
            name, _, value = text.partition(": ")
            if name:
                event[name] = value
        return None


def test_events_go_on_where_the_last_stream_broke_off(server):
    session = Session(server)
    events = Events(session.url)
    session.post(1, "one\ntwo", "three")
    first = events.next()
    assert (first["id"], json.loads(first["data"])) == ("1", "one\ntwo")
    events.response.close()
    session.post(3, "four")
    events = Events(session.url, first["id"])
    for number, text in ((2, "three"), (3, "four")):
        event = events.next()
        assert (event["id"], json.loads(event["data"])) == (str(number), text)


def test_a_session_that_was_closed_says_so_behind_its_last_words(server):
    session = Session(server, "/poll/close")
    assert session.get(0, 5)[1] == {"last": 1, "messages": ["last words"]}
    status, answer, _ = session.get(1, 5)
    assert status == 410 and answer == {"code": 3000, "reason": "Go away!"}
    events = Events(Session(server, "/poll/close").url)
    assert json.loads(events.next()["data"]) == "last words"
    last = events.next()
    assert last["event"] == "close" and json.loads(last["data"])["code"] == 3000
    assert events.next() is None


def test_leaving_and_what_is_not_there(server):
    session = Session(server)
    assert request("DELETE", session.url).status == 204
    assert request("GET", session.url).status == 404
    assert request("GET", session.base + "/signal/echo/guess").status == 404
    assert request("GET", session.base + "/signal/echo").status == 405


def test_a_gap_is_refused_and_text_is_one_message(server):
    session = Session(server)
    assert session.post(2, "too early") == (409, {"received": 0})
    with request("POST", session.url, b"plain", Content_Type="text/plain") as response:
        assert response.status == 200
    assert session.get(0, 5)[1] == {"last": 1, "messages": ["plain"]}


def test_messages_go_between_polling_and_websockets(server):
    import websockets.sync.client

    polling = Session(server, "/signal/broadcast")
    url = server.url.replace("http:", "ws:").rstrip("/") + "/signal/broadcast"
    with websockets.sync.client.connect(url, open_timeout=DEADLINE) as client:
        client.send("ready")
        assert client.recv(timeout=DEADLINE) == "ready"
        polling.post(1, "from a poll")
        assert client.recv(timeout=DEADLINE) == "from a poll"
        client.send("from a socket")
        heard, after = [], 0
        while "from a socket" not in heard:
            _, answer, _ = polling.get(after, 5)
            heard += answer["messages"]
            after = answer["last"]
