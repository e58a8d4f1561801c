"""The calls of Socket.IO that pages of the WebRTC codelab's steps 4 to 6 make, by the client that is served here.

SOCKETIO_CLIENTS names files with other clients of Socket.IO 2 for browsers, separated by colons; the same is then done with them.
"""

from __future__ import annotations

import os
import pathlib
import re

import browser as chromium
import pytest
from harness import DEADLINE, wait_until
from signaling import serve

OTHERS = [pathlib.Path(path) for path in os.environ.get("SOCKETIO_CLIENTS", "").split(":") if path]

# A page as in the steps, which notes what it hears; every handler that the steps have.
PAGE = """
window.heard = [];
window.isInitiator = false;
window.socket = io.connect();
const note = (name) => (...values) => heard.push([name, ...values]);
socket.on("created", (room, clientId) => { isInitiator = true; note("created")(room, clientId); });
socket.on("joined", (room, clientId) => { isInitiator = false; note("joined")(room, clientId); });
for (const name of ["full", "join", "ready", "message", "bye", "ipaddr", "disconnect"]) socket.on(name, note(name));
socket.on("log", (array) => { console.log.apply(console, array); note("log")(array); });
"""


@pytest.fixture(params=[None, *OTHERS], ids=["served", *(path.stem for path in OTHERS)])
def server(request, tmp_path):
    if request.param:
        (tmp_path / "client.js").write_bytes(request.param.read_bytes())
        server = serve("--files", str(tmp_path))
        server.script = "/static/client.js"
    else:
        server = serve()
        server.script = "/socket.io/socket.io.js"
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = chromium.start(str(tmp_path_factory.mktemp("chromium")))
    driver.set_script_timeout(DEADLINE)
    yield driver
    driver.quit()


class Page:
    def __init__(self, driver, server, options: str = "") -> None:
        self.driver = driver
        driver.switch_to.new_window("tab")
        self.handle = driver.current_window_handle
        driver.get(server.url)
        driver.execute_async_script(
            "const done = arguments[1], script = document.createElement('script');"
            "script.onload = done; script.src = arguments[0]; document.head.append(script);",
            server.script,
        )
        self.run(PAGE.replace("io.connect()", f"io.connect({options})"))

    def run(self, script: str, *arguments):
        self.driver.switch_to.window(self.handle)
        return self.driver.execute_script(script, *arguments)

    def emit(self, *values) -> None:
        self.run("socket.emit(...arguments)", *values)

    def heard(self, name: str) -> list:
        return self.run("return heard.filter(([name]) => name === arguments[0]).map((each) => each.slice(1))", name)

    def wait(self, name: str, *values) -> None:
        wait_until(lambda: list(values) in self.heard(name), f"{name} {values}: {self.run('return heard')}")

    def close(self) -> None:
        self.driver.switch_to.window(self.handle)
        self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])


TRANSPORTS = {
    "as the steps have it": "",
    "polling": "undefined, { transports: ['polling'] }",
    "websocket": "undefined, { transports: ['websocket'] }",
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("options", TRANSPORTS.values(), ids=TRANSPORTS)
def test_the_calls_of_the_codelabs_steps(server, driver, options):
    first, second = (Page(driver, server, options) for _ in range(2))
    pages = [first, second]
    try:
        # Step 4: who is first, who is second, who is too many, and where the server is.
        first.emit("create or join", "foo")
        first_id = wait_until(lambda: first.heard("created"), "created")[0][1]
        assert first.heard("created") == [["foo", first_id]] and first_id == first.run("return socket.id")
        second.emit("create or join", "foo")
        second.wait("joined", "foo", second.run("return socket.id"))
        first.wait("join", "foo")
        for page in pages:
            page.wait("ready", "foo")
        assert [page.run("return isInitiator") for page in pages] == [True, False]
        third = Page(driver, server, options)
        pages.append(third)
        third.emit("create or join", "foo")
        third.wait("full", "foo")
        third.emit("ipaddr")
        third.emit("create or join", "bar")
        wait_until(lambda: third.heard("created"), "created")
        assert all(re.fullmatch(r"\d+(\.\d+){3}", address) for (address,) in third.heard("ipaddr"))
        # "log" has an array, as console.log.apply takes it.
        logs = [values for (values,) in first.heard("log")]
        assert ["Message from server:", "Received request to create or join room foo"] in logs, logs
        # Step 5: texts and objects, to the other and nobody else.
        first.emit("message", "got user media")
        second.wait("message", "got user media")
        offer = {"type": "offer", "sdp": "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"}
        candidate = {"type": "candidate", "label": 0, "id": "0", "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host"}
        second.emit("message", offer)
        second.emit("message", candidate)
        first.wait("message", candidate)
        assert first.heard("message") == [[offer], [candidate]]
        assert third.heard("message") == []
        # Step 6: "bye" by one who leaves the page, and the next one is let in.
        second.emit("bye", "foo")
        first.wait("bye", "foo")
        third.emit("create or join", "foo")
        third.wait("joined", "foo", third.run("return socket.id"))
        # Whoever closes the page need not say it.
        third.close()
        pages.remove(third)
        wait_until(lambda: len(first.heard("bye")) == 2, "the second bye")
    finally:
        for page in pages:
            page.close()
