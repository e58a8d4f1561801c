"""signaling-server's SockJS: the protocol as its authors test it, and their client in Chromium over every transport."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.parse
import uuid

import browser as chromium
import pytest
import websockets
import websockets.sync.client
from harness import DEADLINE
from signaling import serve

CLIENT = "/usr/share/nodejs/sockjs-client/dist/sockjs.min.js"
# Time between two requests that a busy machine may take.
PATIENT = ["--sockjs-disconnect-delay", "30"]
NOT_CACHED = "no-store, no-cache, must-revalidate, max-age=0"


@pytest.fixture(scope="module")
def server():
    server = serve("--sockjs-file", CLIENT, "--sockjs-response-limit", "4096", *PATIENT)
    yield server
    assert server.stop() == 0


class Exchange:
    """A request whose response is read as it comes."""

    def __init__(self, server, method, path, body=None, headers=None):
        self.connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=DEADLINE)
        self.connection.request(method, path, body, headers or {})
        self._response = None

    @property
    def response(self) -> http.client.HTTPResponse:
        """The response; waits for its head."""
        if self._response is None:
            self._response = self.connection.getresponse()
        return self._response

    def piece(self, end: str) -> str:
        """The next piece of the body, up to its end; empty at the end of the body."""
        text = b""
        while not text.endswith(end.encode()):
            byte = self.response.read(1)
            if not byte:
                break
            text += byte
        return text.decode()

    def close(self) -> None:
        if self._response is not None:
            self._response.close()
        self.connection.close()


def call(server, method, path, body=None, headers=None):
    """A request and its whole response."""
    exchange = Exchange(server, method, path, body, headers)
    text = exchange.response.read().decode()
    exchange.connection.close()
    return exchange.response, text


def new_session(service: str = "/echo") -> str:
    return f"{service}/000/{uuid.uuid4()}"


def content_type(response) -> str:
    return response.headers["content-type"].replace(" ", "")


def websocket(server, path):
    url = server.url.replace("http:", "ws:").rstrip("/") + path
    return websockets.sync.client.connect(url, open_timeout=DEADLINE, compression=None)


def test_polling(server):
    session = new_session()
    response, text = call(server, "POST", session + "/xhr")
    assert (response.status, text) == (200, "o\n")
    assert content_type(response) == "application/javascript;charset=UTF-8"
    assert response.headers["cache-control"] == NOT_CACHED
    response, text = call(server, "POST", session + "/xhr_send", '["x"]')
    assert (response.status, text, content_type(response)) == (204, "", "text/plain;charset=UTF-8")
    assert call(server, "POST", session + "/xhr")[1] == 'a["x"]\n'
    assert call(server, "POST", new_session() + "/xhr_send", '["x"]')[0].status == 404


def test_a_second_poll_is_refused_and_a_broken_one_ends_the_session(server):
    session = new_session()
    assert call(server, "POST", session + "/xhr")[1] == "o\n"
    first = Exchange(server, "POST", session + "/xhr")
    deadline = time.monotonic() + DEADLINE
    # The head comes with the request's arrival.
    assert first.response.status == 200
    assert call(server, "POST", session + "/xhr")[1] == 'c[2010,"Another connection still open"]\n'
    first.close()
    while (text := call(server, "POST", session + "/xhr")[1]) == 'c[2010,"Another connection still open"]\n':
        assert time.monotonic() < deadline, "the connection that was closed was not noticed"
    assert text in ("o\n", 'c[1002,"Connection interrupted"]\n')


def test_streaming(server):
    session = new_session()
    stream = Exchange(server, "POST", session + "/xhr_streaming")
    assert stream.piece("\n") == "h" * 2048 + "\n"
    assert stream.piece("\n") == "o\n"
    message = '"' + "x" * 128 + '"'
    for _ in range(31):
        assert call(server, "POST", session + "/xhr_send", f"[{message}]")[0].status == 204
        assert stream.piece("\n") == f"a[{message}]\n"
    assert stream.piece("\n") == "", "the response goes on after its limit"


def test_eventsource(server):
    session = new_session()
    stream = Exchange(server, "GET", session + "/eventsource")
    assert content_type(stream.response) == "text/event-stream;charset=UTF-8"
    assert stream.piece("\n") == "\r\n"
    assert stream.piece("\r\n\r\n") == "data: o\r\n\r\n"
    assert call(server, "POST", session + "/xhr_send", r'["  \u0000\n\r "]')[0].status == 204
    assert stream.piece("\r\n\r\n") == 'data: a["  \\u0000\\n\\r "]\r\n\r\n'
    stream.close()


def test_htmlfile(server):
    session = new_session()
    stream = Exchange(server, "GET", session + "/htmlfile?c=%63allback")
    head = stream.piece("\r\n\r\n")
    assert len(head) > 1024 and "var c = parent.callback;" in head
    assert stream.piece("</script>\r\n") == '<script>\np("o");\n</script>\r\n'
    assert call(server, "POST", session + "/xhr_send", '["x"]')[0].status == 204
    assert stream.piece("</script>\r\n") == '<script>\np("a[\\"x\\"]");\n</script>\r\n'
    stream.close()
    response, text = call(server, "GET", new_session() + "/htmlfile")
    assert (response.status, text) == (500, '"callback" parameter required')


def test_jsonp(server):
    session = new_session()
    assert call(server, "GET", session + "/jsonp?c=%63allback")[1] == 'callback("o");\r\n'
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response, text = call(server, "POST", session + "/jsonp_send", "d=%5B%22x%22%5D", form)
    assert (response.status, text) == (200, "ok")
    assert call(server, "GET", session + "/jsonp?c=f")[1] == 'f("a[\\"x\\"]");\r\n'
    for data, error in [("d=%5B%22x", "Broken JSON encoding."), ("", "Payload expected."), ("p=p", "Payload expected.")]:
        response, text = call(server, "POST", session + "/jsonp_send", data, form)
        assert (response.status, text) == (500, error)


def test_websocket(server):
    path = new_session() + "/websocket"
    with websocket(server, path) as client, websocket(server, path) as other:
        assert client.recv(DEADLINE) == other.recv(DEADLINE) == "o"
        client.send("")
        client.send('["a"]')
        other.send('"b"')
        assert client.recv(DEADLINE) == 'a["a"]'
        assert other.recv(DEADLINE) == 'a["b"]'
        client.send('["a')
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(DEADLINE)
    with websocket(server, new_session("/close") + "/websocket") as client:
        assert [client.recv(DEADLINE), client.recv(DEADLINE)] == ["o", 'c[3000,"Go away!"]']
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(DEADLINE)
    with websocket(server, "/echo/websocket") as client:
        client.send("Hello world!\uffff")
        assert client.recv(DEADLINE) == "Hello world!\uffff"


def test_a_closed_session_says_so_again_and_again(server):
    session = new_session("/close")
    stream = Exchange(server, "POST", session + "/xhr_streaming")
    stream.piece("\n")
    assert [stream.piece("\n") for _ in range(3)] == ["o\n", 'c[3000,"Go away!"]\n', ""]
    for _ in range(2):
        assert call(server, "POST", session + "/xhr")[1] == 'c[3000,"Go away!"]\n'


def test_info_cookies_and_cors(server):
    headers = {"Origin": "https://page.example", "Access-Control-Request-Headers": "a, b"}
    response, text = call(server, "GET", "/echo/info", headers=headers)
    info, other = json.loads(text), json.loads(call(server, "GET", "/cookie_needed_echo/info")[1])
    assert (info["websocket"], info["cookie_needed"], info["origins"]) == (True, False, ["*:*"])
    assert other["cookie_needed"] and other["entropy"] != info["entropy"]
    assert not json.loads(call(server, "GET", "/disabled_websocket_echo/info")[1])["websocket"]
    assert response.headers["access-control-allow-origin"] == "https://page.example"
    assert response.headers["access-control-allow-headers"] == "a, b"
    response, _ = call(server, "OPTIONS", "/echo/a/b/xhr", headers={"Origin": "null"})
    assert (response.status, response.headers["access-control-allow-origin"]) == (204, "*")
    assert re.search("public, max-age=[1-9][0-9]{6}", response.headers["cache-control"])
    response, _ = call(server, "POST", new_session("/cookie_needed_echo") + "/xhr")
    assert response.headers["set-cookie"] == "JSESSIONID=dummy; path=/"


def test_http_1_0_gets_a_body_until_the_end(server):
    exchange = Exchange.__new__(Exchange)
    exchange.connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=DEADLINE)
    exchange.connection._http_vsn, exchange.connection._http_vsn_str = 10, "HTTP/1.0"
    exchange.connection.request("POST", new_session("/close") + "/xhr_streaming")
    exchange._response = None
    assert not exchange.response.headers["transfer-encoding"] and not exchange.response.headers["content-length"]
    assert exchange.response.read().decode().endswith('o\nc[3000,"Go away!"]\n')


# Chromium has no ActiveX, which htmlfile without an iframe was made for; the client falls back to an iframe by itself.
TRANSPORTS = [
    "websocket",
    "xhr-streaming",
    "eventsource",
    "iframe-eventsource",
    "htmlfile",
    "iframe-htmlfile",
    "xhr-polling",
    "iframe-xhr-polling",
    "jsonp-polling",
]

SCRIPT = """
const [url, transport, done] = arguments;
const heard = [];
const messages = ["one", "two \\u2028 ü \\ud83d\\ude00", "x".repeat(20000), "<\\/script>", ""];
// By itself the client gives a transport a few times what its first request took, which tells little on a busy machine.
const socket = new SockJS(url, null, {transports: [transport], timeout: 20000});
let used;
socket.onopen = () => {
  used = socket.transport;
  messages.forEach(message => socket.send(message));
};
socket.onmessage = event => {
  heard.push(event.data);
  if (heard.length === messages.length) socket.close(3333, "done");
};
socket.onclose = event => done({
  used, code: event.code, same: JSON.stringify(heard) === JSON.stringify(messages), heard: heard.length,
  reason: event.reason,
});
"""


@pytest.fixture(scope="module")
def page(server, tmp_path_factory):
    driver = chromium.start(str(tmp_path_factory.mktemp("chromium")))
    driver.set_script_timeout(DEADLINE)
    driver.get(server.url)
    driver.execute_async_script(
        "const done = arguments[0], script = document.createElement('script');"
        "script.onload = done; script.src = '/sockjs.js'; document.head.append(script);"
    )
    yield driver
    driver.quit()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_client_in_chromium(server, page, transport):
    service = urllib.parse.urljoin(server.url, "echo")
    result = page.execute_async_script(SCRIPT, service, transport)
    assert result["same"], result
    assert (result["used"], result["code"]) == (transport, 3333), result


def test_the_client_falls_back_where_there_is_no_websocket(server, page):
    script = SCRIPT.replace("transports: [transport], ", "")
    service = urllib.parse.urljoin(server.url, "disabled_websocket_echo")
    result = page.execute_async_script(script, service, "")
    assert result["same"] and result["used"] == "xhr-streaming", result


def test_the_client_from_another_origin(server, page):
    service = urllib.parse.urljoin(server.url, "echo").replace("127.0.0.1", "localhost")
    result = page.execute_async_script(SCRIPT, service, "xhr-streaming")
    assert result["same"], result


def test_the_client_hears_why_it_was_closed(server, page):
    script = SCRIPT.replace("messages.forEach(message => socket.send(message))", "null")
    for transport in ("websocket", "xhr-streaming", "xhr-polling"):
        result = page.execute_async_script(script, urllib.parse.urljoin(server.url, "close"), transport)
        assert (result["code"], result["reason"]) == (3000, "Go away!"), result
