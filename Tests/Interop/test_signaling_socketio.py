"""signaling-server's Socket.IO 2: a client of another library, raw requests, and its own client and pages in Chromium."""

from __future__ import annotations

import http.client
import json
import os
import queue
import threading
import urllib.parse

import browser as chromium
import pytest
import socketio
import websockets
import websockets.sync.client
from harness import DEADLINE, wait_until
from selenium.webdriver.common.by import By
from signaling import serve

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}


@pytest.fixture(scope="module")
def server():
    server = serve()
    yield server
    assert server.stop() == 0


class Client:
    """A client of python-socketio, with what it heard in queues."""

    def __init__(self, server, namespaces, transports=("polling", "websocket"), query=""):
        self.heard: dict[str, queue.Queue] = {}
        self.namespaces = namespaces
        self.client = socketio.Client(reconnection=False)
        # The library takes each message on a thread of its own, so that they may pass one another; here they keep their order.
        trigger = self.client.eio._trigger_event
        self.client.eio._trigger_event = lambda event, *values, **_: trigger(event, *values, run_async=False)
        for namespace in namespaces:
            self.client.register_namespace(Recorder(namespace, self.heard))
        self.client.connect(server.url + query, namespaces=namespaces, transports=list(transports))
        for namespace in namespaces:
            self.hear("connect", namespace)

    def hear(self, name, namespace=None, deadline=DEADLINE):
        """What the next event of that name carries."""
        return self.heard.setdefault(key(namespace or self.namespaces[-1], name), queue.Queue()).get(timeout=deadline)

    def emit(self, name, *values, **options):
        data = values if len(values) > 1 else (values[0] if values else None)
        self.client.emit(name, data, namespace=self.namespaces[-1], **options)

    def ask(self, name, *values):
        """Emits, and gives what the acknowledgement carries."""
        answers: queue.Queue = queue.Queue()
        self.emit(name, *values, callback=lambda *answer: answers.put(list(answer)))
        return answers.get(timeout=DEADLINE)

    def hears_nothing_of(self, name) -> bool:
        # What was emitted before is there when its acknowledgement is.
        self.ask("settle")
        return self.heard.get(key(self.namespaces[-1], name), queue.Queue()).empty()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()


def key(namespace, name):
    return namespace + " " + name


class Recorder(socketio.ClientNamespace):
    def __init__(self, namespace, heard):
        super().__init__(namespace)
        self.heard = heard

    def trigger_event(self, event, *values):
        self.heard.setdefault(key(self.namespace, event), queue.Queue()).put(list(values))
        return ("heard", "it") if event == "question" else None


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_events_come_back_with_acknowledgements(server, transports):
    with Client(server, ["/echo"], transports) as client:
        wait_until(lambda: client.client.transport() == transports[-1], "transport")
        value = {"text": "ü € \u2028 \"", "list": [1, -2.5, True, None, {"deep": [[]]}], "empty": ""}
        client.emit("thing", "first", value)
        assert client.hear("thing") == ["first", value]
        assert client.ask("thing", "first", value) == [["first", value]]
        for count in range(50):
            client.emit("count", count)
        assert [client.hear("count")[0] for _ in range(50)] == list(range(50))


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_bytes_come_back(server, transports):
    with Client(server, ["/echo"], transports) as client:
        files = {"name": "ä", "parts": [os.urandom(1), os.urandom(70_000)], "last": b"\x00\xff"}
        client.emit("files", files)
        assert client.hear("files") == [files]
        assert client.ask("files", files) == [[files]]


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_the_server_asks_and_the_client_acknowledges(server, transports):
    with Client(server, ["/echo"], transports) as client:
        client.emit("ask")
        assert client.hear("answered") == ["heard", "it"]


def test_characters_beyond_the_basic_plane_come_back_over_a_websocket(server):
    # Over polling, this client counts characters where the protocol's authors count code units.
    with Client(server, ["/echo"], ["websocket"]) as client:
        client.emit("text", "\U0001f600 x")
        assert client.hear("text") == ["\U0001f600 x"]


def test_rooms(server):
    with Client(server, ["/rooms"]) as first, Client(server, ["/rooms"], ["polling"]) as second:
        with Client(server, ["/rooms"], ["websocket"]) as third:
            for client in (first, second):
                client.ask("join", "one")
            third.ask("join", "two")
            first.emit("say", "one", "hello")
            assert second.hear("said") == ["one", "hello"]
            assert first.hears_nothing_of("said") and third.hears_nothing_of("said")
            third.emit("announce", "one", "to all of them")
            for client in (first, second):
                assert client.hear("said") == ["one", "to all of them"]
            second.ask("leave", "one")
            first.ask("say", "one", "nobody is left")
            assert second.hears_nothing_of("said")
            second.emit("shout", "everybody")
            assert first.hear("shouted") == third.hear("shouted") == ["everybody"]
            assert second.hears_nothing_of("shouted")


def test_namespaces_are_apart_and_leave_one_by_one(server):
    with Client(server, ["/echo", "/rooms"]) as client:
        client.client.emit("thing", 1, namespace="/echo")
        assert client.hear("thing", "/echo") == [1]
        client.emit("goodbye")
        client.hear("disconnect", "/rooms")


def test_who_is_not_admitted_is_told(server):
    path = "/socket.io/?EIO=3&transport=websocket"
    with websockets.sync.client.connect(server.url.replace("http:", "ws:").rstrip("/") + path) as client:
        client.recv(DEADLINE)
        assert client.recv(DEADLINE) == "40"
        client.send("40/members")
        assert client.recv(DEADLINE) == '44/members,"only for members"'
        client.send("40/members?token=secret,")
        assert client.recv(DEADLINE) == "40/members,"
        client.send("40/nowhere")
        assert client.recv(DEADLINE) == '44/nowhere,"Invalid namespace"'


# MARK: raw requests


def call(server, method, query, body=None, headers=None):
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=DEADLINE)
    body = body.encode() if isinstance(body, str) else body
    connection.request(method, "/socket.io/?" + query, body, headers or {})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response, text


def payload(*packets: str) -> str:
    return "".join(f"{len(packet)}:{packet}" for packet in packets)


def packets(text: bytes) -> list[str]:
    text = text.decode()
    found = []
    while text:
        length, text = text.split(":", 1)
        found.append(text[: int(length)])
        text = text[int(length) :]
    return found


def open_session(server) -> str:
    response, text = call(server, "GET", "EIO=3&transport=polling&t=1")
    assert response.status == 200
    handshake = json.loads(packets(text)[0][1:])
    assert handshake["upgrades"] == ["websocket"]
    assert response.headers["set-cookie"].startswith("io=" + handshake["sid"] + ";")
    return "EIO=3&transport=polling&sid=" + handshake["sid"]


def test_a_session_by_hand(server):
    session = open_session(server)
    assert packets(call(server, "GET", session)[1]) == ["40"]
    assert call(server, "POST", session, payload("40/echo,", '42/echo,14["é","€"]'))[1] == b"ok"
    heard = packets(call(server, "GET", session)[1])
    while len(heard) < 3:
        heard += packets(call(server, "GET", session)[1])
    assert heard[0] == "40/echo,"
    assert set(heard[1:]) == {'42/echo,["é","€"]', '43/echo,14[["€"]]'}
    assert call(server, "POST", session, "6:2hello")[1] == b"ok"
    assert packets(call(server, "GET", session)[1]) == ["3hello"]
    assert call(server, "POST", session, "1:1")[1] == b"ok"
    response, text = call(server, "GET", session)
    assert (response.status, json.loads(text)) == (400, {"code": 1, "message": "Session ID unknown"})


def test_jsonp_by_hand(server):
    _, text = call(server, "GET", "EIO=3&transport=polling&j=7")
    assert text.startswith(b'___eio[7]("') and text.endswith(b'");')
    handshake = json.loads(packets(json.loads(text[len("___eio[7](") : -2]).encode())[0][1:])
    session = f"EIO=3&transport=polling&j=8&sid={handshake['sid']}"
    assert call(server, "GET", session)[1] == b'___eio[8]("2:40");'
    form = "d=" + urllib.parse.quote(payload('42["create or join","a b+c"]'))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert call(server, "POST", session, form, headers)[1] == b"ok"
    assert b"a b+c" in call(server, "GET", session)[1]


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("GET", "EIO=3&transport=carrier-pigeon", 0),
        ("GET", "EIO=3", 0),
        ("GET", "EIO=3&transport=polling&sid=unknown", 1),
        ("POST", "EIO=3&transport=polling", 2),
        ("GET", "EIO=3&transport=websocket", 3),
        ("GET", "EIO=4&transport=polling", 5),
    ],
)
def test_refusals(server, method, query, code):
    response, text = call(server, method, query, headers={"Origin": "https://page.example"})
    assert (response.status, json.loads(text)["code"]) == (400, code)
    assert response.headers["access-control-allow-origin"] == "https://page.example"
    assert response.headers["access-control-allow-credentials"] == "true"


def test_a_second_poll_ends_the_session(server):
    session = open_session(server)
    call(server, "GET", session)
    answers: queue.Queue = queue.Queue()
    for _ in range(2):
        threading.Thread(target=lambda: answers.put(call(server, "GET", session))).start()
    results = sorted((answers.get(timeout=DEADLINE) for _ in range(2)), key=lambda result: result[0].status)
    assert [(response.status, text) for response, text in results] == [(200, b"1:1"), (500, b"")]
    assert call(server, "GET", session)[0].status == 400


@pytest.mark.parametrize("body", ["", "x", "5:4", "1:9", "999999999999:4", "2:4\ud800".encode("utf-8", "surrogatepass")])
def test_malformed_payloads_end_the_session(server, body):
    session = open_session(server)
    response, _ = call(server, "POST", session, body)
    if body:
        assert response.status == 400
        assert json.loads(call(server, "GET", session)[1])["code"] == 1
    else:
        assert response.status == 200


@pytest.mark.parametrize("packet", ["4", "49", "42", "42{}", "42[1]", '42["a"', "43[]", "451-", "4599-[]", '42["' + "[" * 50])
def test_malformed_packets_end_the_session(server, packet):
    address = server.url.replace("http:", "ws:").rstrip("/") + "/socket.io/?EIO=3&transport=websocket"
    with websockets.sync.client.connect(address) as client:
        client.recv(DEADLINE)
        client.recv(DEADLINE)
        client.send(packet)
        if packet == "451-":
            client.send("42[]")
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                client.recv(DEADLINE)


# MARK: the browser


@pytest.fixture(scope="module")
def driver(server, tmp_path_factory):
    driver = chromium.start(str(tmp_path_factory.mktemp("chromium")), *chromium.MEDIA_ARGUMENTS)
    driver.set_script_timeout(DEADLINE)
    yield driver
    driver.quit()


@pytest.fixture
def page(server, driver):
    driver.get(server.url)
    load(driver)
    return driver


def load(driver):
    driver.execute_async_script(
        "const done = arguments[0], script = document.createElement('script');"
        "script.onload = done; script.src = '/socket.io/socket.io.js'; document.head.append(script);"
    )


ECHO = """
const [options, done] = arguments;
const socket = io("/echo", {forceNew: true, ...options});
const bytes = size => Uint8Array.from({length: size}, (_, index) => index * 7);
const same = (a, b) => String(new Uint8Array(a)) === String(new Uint8Array(b));
const result = {order: []};
socket.on("connect", async () => {
  result.id = socket.id;
  // It may have been upgraded already.
  if (options.transports.length === 2 && socket.io.engine.transport !== "websocket")
    await new Promise(resolve => socket.io.engine.on("upgrade", resolve));
  const ask = (...values) => new Promise(resolve => socket.emit(...values, resolve));
  result.acknowledged = await ask("text", "ü \\u2028 😀", {a: [1, null]});
  const blob = new Blob([bytes(70000)]);
  const back = await ask("binary", bytes(5), {deep: [bytes(3).buffer, blob]});
  result.bytes = same(back[0], bytes(5)) && same(back[1].deep[0], bytes(3)) && same(back[1].deep[1], bytes(70000));
  socket.on("n", value => result.order.push(value));
  for (let index = 0; index < 20; index += 1) socket.emit("n", index % 5 === 0 ? new Blob([bytes(index)]) : index);
  socket.on("question", acknowledge => acknowledge("yes", bytes(2)));
  socket.once("answered", (...values) => {
    result.answered = values[0] === "yes" && same(values[1], bytes(2));
    result.order = result.order.filter(each => typeof each === "number");
    result.transport = socket.io.engine.transport;
    socket.on("disconnect", reason => done({...result, reason}));
    socket.close();
  });
  socket.emit("ask");
});
"""


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_the_client_in_chromium(page, transports):
    result = page.execute_async_script(ECHO, {"transports": transports})
    assert result["id"].startswith("/echo#")
    assert result["acknowledged"] == ["ü \u2028 😀", {"a": [1, None]}]
    assert result["bytes"] and result["answered"]
    assert result["order"] == [index for index in range(20) if index % 5]
    assert (result["transport"], result["reason"]) == (transports[-1], "io client disconnect")


def test_the_client_from_another_origin(server, page):
    origin = server.url.replace("127.0.0.1", "localhost")
    script = ECHO.replace('io("/echo"', f'io("{origin}echo"')
    for transports in TRANSPORTS.values():
        result = page.execute_async_script(script, {"transports": transports, "withCredentials": True})
        assert result["bytes"] and result["transport"] == transports[-1]


def test_the_client_goes_on_over_requests_where_websockets_are_blocked(page):
    page.execute_script(
        "window.WebSocket = class { constructor() { this.send = () => {}; this.close = () => {};"
        "setTimeout(() => this.onclose({})); } };"
    )
    script = ECHO.replace('await new Promise(resolve => socket.io.engine.on("upgrade", resolve))', "null")
    result = page.execute_async_script(script, {"transports": ["polling", "websocket"]})
    assert result["bytes"] and result["transport"] == "polling"


def test_the_client_has_namespaces_with_queries_and_hears_refusals(page):
    result = page.execute_async_script(
        """
        const done = arguments[0], heard = [];
        const options = {forceNew: true};
        const note = text => { heard.push(text); if (heard.length === 3) done(heard.sort()); };
        io("/members", options).on("error", note);
        io("/members?token=secret", options).on("connect", () => note("member"));
        io("/nowhere", options).on("error", note);
        """
    )
    assert result == ["Invalid namespace", "member", "only for members"]


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_the_client_connects_again(page, transports):
    result = page.execute_async_script(
        """
        const [transports, done] = arguments;
        const socket = io("/rooms", {forceNew: true, transports, reconnectionDelay: 10});
        const heard = [];
        for (const name of ["connect", "disconnect", "reconnect"]) socket.on(name, value => heard.push([name, value]));
        socket.once("connect", () => {
          // The connection breaks; what is said meanwhile is said later.
          socket.io.engine.end("transport close");
          socket.emit("shout", "later", () => done(heard));
        });
        """,
        transports,
    )
    assert [name for name, _ in result][:2] == ["connect", "disconnect"]
    assert sorted(name for name, _ in result[2:]) == ["connect", "reconnect"]


# MARK: the codelab


def status(driver) -> str:
    return driver.find_element(By.ID, "status").text


def wait_for_status(driver, text: str) -> str:
    return wait_until(lambda: text in status(driver) and status(driver), f"'{text}' (last: {status(driver)})")


def plays(driver, identifier: str) -> bool:
    return driver.execute_script(
        "const video = document.getElementById(arguments[0]);"
        "return video.videoWidth > 0 && video.currentTime > 0.2 && !video.paused;",
        identifier,
    )


def wait_for_video(driver, identifier: str) -> None:
    wait_until(lambda: plays(driver, identifier), f"moving picture in {identifier}")


def click(driver, identifier: str) -> None:
    wait_until(lambda: driver.find_element(By.ID, identifier).is_enabled(), f"button {identifier}")
    driver.find_element(By.ID, identifier).click()


class Tabs:
    """Two tabs of one browser with the same address."""

    def __init__(self, driver, url):
        self.driver = driver
        self.first = driver.current_window_handle
        driver.get("about:blank")
        driver.get(url)
        self.url = url
        self.handles = [self.first]

    def open(self) -> None:
        self.driver.switch_to.new_window("tab")
        self.handles.append(self.driver.current_window_handle)
        self.driver.get(self.url)

    def use(self, number: int):
        self.driver.switch_to.window(self.handles[number])
        return self.driver

    def close(self, number: int) -> None:
        self.use(number).close()
        self.handles.pop(number)
        self.use(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while len(self.handles) > 1:
            self.close(len(self.handles) - 1)


def step(server, number: int, room: str = "") -> str:
    return urllib.parse.urljoin(server.url, f"codelab/{number}") + (f"#{room}" if room else "")


def test_codelab_index(server, driver):
    driver.get(urllib.parse.urljoin(server.url, "codelab"))
    assert len(driver.find_elements(By.CSS_SELECTOR, "li a")) == 6


def test_codelab_camera(server, driver):
    driver.get(step(server, 1))
    wait_for_status(driver, "The camera is on.")
    wait_for_video(driver, "local")


def test_codelab_local_call(server, driver):
    driver.get(step(server, 2))
    click(driver, "start")
    wait_for_video(driver, "local")
    click(driver, "call")
    wait_for_status(driver, "The call is connected.")
    wait_for_video(driver, "remote")
    click(driver, "hangUp")
    wait_for_status(driver, "The call is over.")


def test_codelab_text_channel(server, driver):
    driver.get(step(server, 3))
    click(driver, "start")
    wait_for_status(driver, "The channel is open.")
    driver.find_element(By.ID, "outgoing").send_keys("Grüße")
    click(driver, "send")
    wait_until(lambda: driver.find_element(By.ID, "incoming").get_property("value") == "Grüße", "text")
    click(driver, "stop")
    wait_for_status(driver, "The channel is closed.")


def test_codelab_rooms(server, driver):
    with Tabs(driver, step(server, 4, "step-4")) as tabs:
        wait_for_status(driver, "Created the room.")
        tabs.open()
        wait_for_status(driver, "Joined the room.")
        driver.find_element(By.ID, "text").send_keys("hello")
        click(driver, "send")
        tabs.use(0)
        said = lambda: [item.text for item in driver.find_elements(By.CSS_SELECTOR, "#events li")]  # noqa: E731
        wait_until(lambda: said() == ["Another has joined.", "The other says: hello"], "message")
        tabs.open()
        wait_for_status(driver, "The room step-4 is full.")
        tabs.close(2)
        tabs.close(1)
        wait_until(lambda: "The other has left." in said(), "bye")


def test_codelab_call(server, driver):
    with Tabs(driver, step(server, 5, "step-5")) as tabs:
        wait_for_status(driver, "Waiting for somebody.")
        for _ in range(2):
            tabs.open()
            wait_for_status(driver, "The call is connected.")
            wait_for_video(driver, "remote")
            tabs.use(0)
            wait_for_status(driver, "The call is connected.")
            wait_for_video(driver, "remote")
            # Who comes later can call, too.
            tabs.close(1)
            wait_for_status(driver, "The other has left.")


@pytest.mark.parametrize("sender", [0, 1], ids=["creator", "guest"])
def test_codelab_photos(server, driver, sender):
    with Tabs(driver, step(server, 6, f"step-6-{sender}")) as tabs:
        wait_for_status(driver, "Waiting for somebody.")
        tabs.open()
        for tab in (0, 1):
            tabs.use(tab)
            wait_for_status(driver, "The channel is open.")
        tabs.use(sender)
        for _ in range(2):
            click(driver, "snap")
            wait_for_status(driver, "Snapped.")
            click(driver, "send")
            sent = wait_for_status(driver, "Sent a photo: ").split()[-1]
            tabs.use(1 - sender)
            received = wait_for_status(driver, f"A photo came, and is as it was sent: {sent}").split()[-1]
            assert driver.find_elements(By.CSS_SELECTOR, "#photos img")[0].get_attribute("data-hash") == received == sent
            tabs.use(sender)
