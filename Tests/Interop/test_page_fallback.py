"""The server's own pages where no WebSocket gets through: the mesh, the files and the codelab's call."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import urllib.request

import browser as chromium
import pytest
from cutting_proxy import CuttingProxy
from harness import DEADLINE, wait_until
from signaling import serve
from test_file_transfer import CODE, RECEIVING, SENDING, Program
from test_rooms import SwiftPeer, Tab, driver, statistics  # noqa: F401 (a fixture)
from test_signaling_socketio import Tabs, step, wait_for_status, wait_for_video


class Place:
    """A server, and the address at which no WebSocket is opened."""

    def __init__(self, how: str) -> None:
        self.server = serve(*(["--refuse-websockets"] if how == "refused by the server" else []))
        host, port = self.server.url.split("/")[2].rsplit(":", 1)
        self.proxy = None if how == "refused by the server" else CuttingProxy((host, int(port)), holds=how == "held on the way")
        self.url = self.proxy.url if self.proxy else self.server.url

    @property
    def tried(self) -> bool:
        return self.proxy is None or self.proxy.cut > 0

    def close(self) -> None:
        if self.proxy:
            self.proxy.stop()
        if self.server.process.poll() is None:
            assert self.server.stop() == 0


@pytest.fixture
def place(request):
    with contextlib.closing(Place(request.param)) as place:
        yield place


PLACES = ["refused by the server", "cut on the way", "held on the way"]
EMPTY = {"rooms": 0, "members": 0, "connections": 0, "keptBytes": 0}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_a_mesh_is_made_without_websockets(place, driver):  # noqa: F811
    tabs = [Tab(driver, place.url, name, media=False) for name in ("blocked", "too")]
    # Who is not behind the proxy has a WebSocket.
    swift = SwiftPeer(place.server.url, "swift") if place.proxy else None
    members = [*tabs, *([swift] if swift else [])]
    try:
        for member in members:
            member.wait_connected(len(members) - 1)
        assert place.tried
        for tab in tabs:
            assert tab.run("return mesh.room.socket.isFallback")
        assert tabs[0].run("return mesh.sendText('over requests')") == len(members) - 1
        wait_until(lambda: tabs[1].texts()["blocked"] == ["over requests"], "text")
        # More than one request's worth, and more than waits in one request, in order.
        tabs[0].evaluate(
            "await (async () => { for (let i = 0; i < 300; i++) mesh.room.send({ type: 'data', data: [i, 'x'.repeat(i * 10)] });"
            "while (mesh.room.queue.length) await new Promise((resolve) => setTimeout(resolve, 20)); })()"
        )
        # A broken channel: the member goes on, over requests at once.
        tabs[0].run("mesh.room.breakSocket()")
        wait_until(lambda: tabs[0].run("return mesh.room.phase") == "joined", "resumption")
        assert tabs[0].run("return mesh.room.socket.isFallback") and tabs[0].is_connected(len(members) - 1)
        assert statistics(place.server.url)["resumptions"] == 1
        # The last words of a member who leaves get through.
        tabs[0].run("mesh.room.leave()")
        for member in members[1:]:
            member.wait_connected(len(members) - 2)
        # And those of a page that is closed.
        driver.switch_to.window(tabs[1].handle)
        driver.get("about:blank")
        if swift:
            wait_until(lambda: swift.statistics() == [0, 0, 0], f"an empty room: {swift.lines}", 3 * DEADLINE)
            swift.leave()
        wait_until(lambda: EMPTY.items() <= statistics(place.server.url).items(), "an empty server", 3 * DEADLINE)
    finally:
        if swift and swift.process.poll() is None:
            swift.process.kill()


# A socket whose requests are counted and answered by hand.
BY_HAND = """
window.requests = [];
window.fetch = (url, { body, keepalive, signal }) => new Promise((resolve, reject) => {
    requests.push({ path: url.split("/").at(-1), body, keepalive: Boolean(keepalive),
        answer: (text, status = 200) => resolve(new Response(status === 204 ? null : text, { status })) });
    signal?.addEventListener("abort", () => reject(new Error("aborted")));
});
window.told = [];
window.socket = new RequestSocket("/nowhere");
socket.onopen = () => told.push("open");
socket.onmessage = ({ data }) => told.push(data);
socket.onclose = () => told.push("closed");
window.until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1)); };
window.sent = () => requests.filter(({ path }) => path === "xhr_send").map(({ body, keepalive }) => [JSON.parse(body), keepalive]);
"""


def answer_by_hand(place, driver) -> None:
    """Opens a page with a socket over requests that the test answers."""
    driver.switch_to.new_window("window")
    driver.get(place.url + "mesh")
    driver.execute_script(BY_HAND)


@pytest.mark.parametrize("place", PLACES[:1], indirect=True)
def test_last_words_do_not_wait_for_the_request_before(place, driver):  # noqa: F811
    answer_by_hand(place, driver)
    outcome = driver.execute_async_script(
        """
        const done = arguments[0];
        (async () => {
            requests[0].answer("o\\n");
            await until(() => told.length === 1);
            socket.send("first");
            socket.send("x".repeat(20000));
            socket.send("last");
            socket.close();
            socket.send("too late");
            const during = sent();
            const isPolling = !told.includes("closed");
            requests.filter(({ path }) => path === "xhr_send").forEach(({ answer }) => answer("", 204));
            await until(() => told.includes("closed"));
            return { during, isPolling, told, count: sent().length };
        })().then(done, (error) => done(String(error.stack)));
        """
    )
    assert outcome == {
        "during": [[["first"], True], [["x" * 20000, "last"], False]], "isPolling": True, "told": ["open", "closed"], "count": 2
    }, outcome


@pytest.mark.parametrize("place", PLACES[:1], indirect=True)
def test_messages_over_requests_come_in_order_one_request_at_a_time(place, driver):  # noqa: F811
    answer_by_hand(place, driver)
    outcome = driver.execute_async_script(
        """
        const done = arguments[0];
        (async () => {
            const all = (path) => requests.filter((each) => each.path === path);
            const last = (path) => all(path).at(-1);
            last("xhr").answer("o\\n");
            await until(() => told.length === 1);
            for (const text of ["a", "b", "y".repeat(20000), "c"]) socket.send(text);
            const sizes = [];
            for (let count = 1; count <= 4; count++) {
                await until(() => all("xhr_send").length === count);
                sizes.push(JSON.parse(last("xhr_send").body).map((text) => text.length));
                last("xhr_send").answer("", 204);
            }
            const frames = ['a["1","2"]', "h", 'a["3"]\\nc[3000,"Go away!"]'];
            for (const [index, frame] of frames.entries()) {
                await until(() => all("xhr").length === index + 2);
                last("xhr").answer(frame + "\\n");
            }
            await until(() => told.includes("closed"));
            return { sizes, told, polls: all("xhr").length, brought: all("xhr_send").length };
        })().then(done, (error) => done(String(error.stack)));
        """
    )
    assert outcome == {
        "sizes": [[1], [1], [20000], [1]], "told": ["open", "1", "2", "3", "closed"], "polls": 4, "brought": 4
    }, outcome


@pytest.mark.parametrize("place", ["cut on the way"], indirect=True)
def test_a_server_that_is_gone_is_told_without_websockets_too(place, driver):  # noqa: F811
    tab = Tab(driver, place.url, "alone", media=False)
    state = lambda: tab.run("return element('state').textContent")  # noqa: E731
    wait_until(lambda: state() == "You are in the room.", "words")
    place.server.process.kill()
    wait_until(lambda: "Next attempt in" in state(), "words of the wait")
    tab.run("mesh.room.leave()")
    assert state() == "You left the room."


@pytest.mark.parametrize("place", PLACES[:2], indirect=True)
def test_files_come_and_go_without_websockets(place, driver, tmp_path):  # noqa: F811
    content = random.Random(12).randbytes(300_001)
    (tmp_path / "file.bin").write_bytes(content)
    driver.switch_to.new_window("window")
    driver.get(place.url + "files")
    # Two pages: the one that receives has a name for the other's code.
    driver.execute_script(SENDING)
    code = wait_until(lambda: driver.execute_script("return element('given').textContent"), "code")
    assert place.tried
    if place.proxy:
        other = Program("receive", code, "--http", place.server.url, "--into", str(tmp_path / "in"))
        try:
            assert other.wait() == 0, other.said
        finally:
            other.kill()
        assert (tmp_path / "in" / "ünï 文.bin").stat().st_size == 700_000
        sender = Program("send", "--http", place.server.url, str(tmp_path / "file.bin"))
        try:
            code = sender.find(CODE)
            driver.get("about:blank")
            driver.get(f"{place.url}files#{code}")
            outcome = driver.execute_async_script(RECEIVING)
            assert outcome == {"digest": hashlib.sha256(content).hexdigest(), "size": len(content)}, (outcome, sender.said)
            assert sender.wait() == 0, sender.said
        finally:
            sender.kill()
    else:
        driver.switch_to.new_window("window")
        driver.get(f"{place.url}files#{code}")
        driver.execute_script("receiveFiles(element('code').value, new Downloads()).then(() => {}, (error) => log(error.message))")
        wait_until(lambda: "Received 2 files, 700000 bytes." in driver.execute_script("return element('log').textContent"), "files")


@pytest.fixture(scope="module")
def codelab_driver(tmp_path_factory):
    driver = chromium.start(  # noqa: F811
        str(tmp_path_factory.mktemp("codelab")), *chromium.MEDIA_ARGUMENTS, "--allow-loopback-in-peer-connection"
    )
    driver.set_script_timeout(DEADLINE)
    yield driver
    driver.quit()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", PLACES[:2], indirect=True)
def test_the_codelabs_call_is_made_without_websockets(place, codelab_driver):
    class At:
        url = place.url

    with Tabs(codelab_driver, step(At, 5, "blocked")) as tabs:
        wait_for_status(codelab_driver, "Waiting for somebody.")
        tabs.open()
        for number in (1, 0):
            tabs.use(number)
            wait_for_status(codelab_driver, "The call is connected.")
            wait_for_video(codelab_driver, "remote")
        assert place.tried
        codelab_driver.get("about:blank")


def test_the_info_of_each_place_offers_websockets():
    """What falls back does so for the way, not because it was told to."""
    with contextlib.closing(Place("refused by the server")) as place:
        for path in ("rooms/sockjs", "mailbox"):
            assert json.load(urllib.request.urlopen(f"{place.url}{path}/info", timeout=DEADLINE))["websocket"]
