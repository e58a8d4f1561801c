"""Rooms: Chromium and Swift peers in one room, all connected to all, by signaling-server's page and mesh-peer."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import threading
import urllib.request

import browser as chromium
import pytest
from harness import DEADLINE, swift_binary, wait_until
from signaling import serve

# More than a channel's window, and no multiple of a piece.
FILE_SIZE = 200_003


class SwiftPeer:
    """A mesh-peer; what it prints, line by line."""

    def __init__(self, url: str, name: str, *options: str, room: str = "room") -> None:
        self.name = name
        command = [*swift_binary("mesh-peer"), url, "--room", room, "--name", name, *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def statistics(self) -> list[int]:
        """How many peers, how many of them connected, how many members."""
        before = len(self.lines)
        self.say("/statistics")
        line = wait_until(
            lambda: next((each for each in self.lines[before:] if each.startswith("peers ")), None),
            f"statistics of {self.name}",
        )
        return [int(word.rstrip(",")) for word in line.split() if word.rstrip(",").isdigit()]

    def wait_connected(self, count: int) -> None:
        wait_until(
            lambda: self.statistics() == [count, count, count], f"{count} peers of {self.name}: {self.lines}", DEADLINE * 2
        )

    def leave(self) -> None:
        self.say("/leave")
        assert self.process.wait(DEADLINE) == 0, self.lines


# Counts connections that are not closed, and makes a file whose bytes follow from its name.
PREPARE = """
window.connections = [];
const Original = RTCPeerConnection;
window.RTCPeerConnection = function (...parameters) {
    const connection = new Original(...parameters);
    connections.push(connection);
    return connection;
};
window.openConnections = () => connections.filter((each) => each.signalingState !== "closed").length;
window.makeFile = (name, size) => {
    let state = [...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0) >>> 0, 7);
    const bytes = new Uint8Array(size);
    for (let index = 0; index < size; index++) {
        state = Math.imul(state, 1664525) + 1013904223 >>> 0;
        bytes[index] = state >>> 24;
    }
    return new File([bytes], name);
};
window.digest = async (file) => {
    const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};
window.frames = async () => {
    const counts = {};
    for (const peer of mesh.peers.values()) {
        counts[peer.member.metadata.name] = 0;
        for (const each of (await peer.connection.getStats()).values()) {
            if (each.type === "inbound-rtp" && each.kind === "video") counts[peer.member.metadata.name] += each.framesDecoded;
        }
    }
    return counts;
};
"""


def file_bytes(name: str, size: int) -> bytes:
    """The same as makeFile in the page."""
    state = 7
    for character in name:
        state = (state * 31 + ord(character)) & 0xFFFFFFFF
    result = bytearray()
    for _ in range(size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        result.append(state >> 24)
    return bytes(result)


class Tab:
    """A window of the browser with the page in it."""

    def __init__(self, driver, url: str, name: str, room: str = "room", media: bool = True) -> None:
        self.driver, self.name, self.url, self.room, self.media = driver, name, url, room, media
        driver.switch_to.new_window("window")
        self.handle = driver.current_window_handle
        driver.get(url + "mesh")
        self.run(PREPARE)
        self.join()

    def join(self) -> None:
        self.run("enter(arguments[0], arguments[1], arguments[2])", self.room, self.name, self.media)

    def run(self, script: str, *arguments):
        self.driver.switch_to.window(self.handle)
        return self.driver.execute_script(script, *arguments)

    def evaluate(self, expression: str, *arguments):
        """The value of an expression, awaited."""
        self.driver.switch_to.window(self.handle)
        outcome = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async () => ({expression}))().then((value) => done({{value}}), (e) => done({{error: String(e.stack)}}));",
            *arguments,
        )
        assert "error" not in outcome, outcome["error"]
        return outcome["value"]

    def wait_connected(self, count: int) -> None:
        wait_until(lambda: self.is_connected(count), f"{count} peers of {self.name}: {self.state()}", DEADLINE * 2)

    def state(self) -> str:
        return self.run(
            "return [window.mesh?.room.phase, ...[...(window.mesh?.peers.values() ?? [])].map((peer) => "
            "`${peer.member.metadata.name} ${peer.connection.connectionState} ${peer.chat.readyState}`)].join('; ')"
        )

    def is_connected(self, count: int) -> bool:
        return self.run(
            "const peers = [...window.mesh?.peers.values() ?? []];"
            "return peers.length === arguments[0] && peers.every((peer) => "
            "peer.connection.connectionState === 'connected' && peer.connection.signalingState === 'stable' "
            "&& peer.chat.readyState === 'open')",
            count,
        )

    def texts(self) -> dict[str, list[str]]:
        return self.run(
            "return Object.fromEntries([...mesh.peers.values()].map((peer) => [peer.member.metadata.name, peer.texts]))"
        )


def statistics(url: str) -> dict:
    with urllib.request.urlopen(url + "rooms/statistics", timeout=DEADLINE) as response:
        return json.load(response)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = chromium.start(
        str(tmp_path_factory.mktemp("profile")), *chromium.MEDIA_ARGUMENTS, "--allow-loopback-in-peer-connection"
    )
    driver.set_script_timeout(DEADLINE * 2)
    yield driver
    driver.quit()


# Time in the page that passes at `pass` alone, from timer to timer.
CLOCK = """
window.clock = { now: 0, number: 0, timers: new Map() };
performance.now = () => clock.now;
window.setTimeout = (run, delay = 0) => {
    clock.timers.set(++clock.number, { run, at: clock.now + delay });
    return clock.number;
};
window.clearTimeout = (number) => { clock.timers.delete(number); };
window.pass = (isDone) => {
    while (!isDone() && clock.timers.size > 0 && clock.now < 60000) {
        const [number, { run, at }] = [...clock.timers].reduce((first, next) => next[1].at < first[1].at ? next : first);
        clock.timers.delete(number);
        clock.now = Math.max(clock.now, at);
        run();
    }
    return isDone();
};
"""

# A server in the page that is silent from the step on that is asked for: "open", "join" or "ack". Tells when it is heard from first.
SILENCE = """
window.told = [];
window.silentFrom = arguments[0];
window.WebSocket = class {
    constructor() {
        this.number = 0;
        if (silentFrom !== "open") setTimeout(() => this.onopen?.(), 1);
    }
    send(text) {
        const frame = JSON.parse(text);
        const answers = {
            join: silentFrom === "join" ? null
                : { type: "welcome", member: "me", token: "t", members: [], metadata: {}, resumeMilliseconds: 30000 },
            resume: { type: "resumed", received: 0 },
            send: silentFrom === "ack" ? null : { type: "ack", received: frame.number },
        };
        const answer = answers[frame.type];
        if (answer) setTimeout(() => this.onmessage?.({ data: JSON.stringify(answer) }), 1);
    }
    close() { setTimeout(() => this.onclose?.(), 1); }
};
window.silent = new RoomClient("ws://nowhere", "room", {}, undefined,
    { join: 1500, response: 200, firstDelay: 20, longestDelay: 100 });
for (const type of ["connecting", "waiting", "joined", "interrupted", "resumed", "ended"]) {
    silent.addEventListener(type, ({ detail }) => {
        told.push([type, detail.reason ?? detail.refusal?.reason ?? null, performance.now()]);
        if (type === "joined") silent.send({ type: "data", data: 1 });
    });
}
silent.start();
"""


PACED = "resumeMilliseconds: 30000, limits: { messageRate: 50, messageBurst: 20, byteRate: 1e6, byteBurst: 1e6 }"


@pytest.mark.parametrize("step", ["open", "join"])
def test_a_page_that_cannot_join_tries_again_and_gives_up_in_words(driver, step):
    server = serve()
    try:
        driver.switch_to.new_window("window")
        driver.get(server.url + "mesh")
        driver.execute_script(CLOCK + SILENCE, step)
        told = driver.execute_script("return pass(() => silent.isEnded) && told")
    finally:
        server.stop()
    assert told, "the attempts do not end"
    kinds = [kind for kind, _, _ in told]
    assert kinds[:3] == ["connecting", "waiting", "connecting"] and kinds[-1] == "ended", told
    reasons = {reason for kind, reason, _ in told if kind in ("waiting", "ended")}
    assert all(re.fullmatch(r"The server (cannot be reached|does not answer) \(1 s\)\.", each) for each in reasons), told
    # Each attempt has the time of a response, and all together that of joining; how many there are is up to random delays.
    assert kinds.count("connecting") in (6, 7), told
    for (kind, _, began), (next_kind, _, ended) in itertools.pairwise(told):
        if (kind, next_kind) == ("connecting", "waiting"):
            assert round(ended - began) in (200, 201), told
    assert told[-1][2] - told[0][2] == 1500, told


def test_a_page_whose_messages_are_not_acknowledged_comes_back_on_another_channel(driver):
    server = serve()
    try:
        driver.switch_to.new_window("window")
        driver.get(server.url + "mesh")
        driver.execute_script(CLOCK + SILENCE, "ack")
        told = driver.execute_script("return pass(() => told.filter(([kind]) => kind === 'resumed').length >= 2) && told")
        assert told, "no resumption"
        driver.execute_script("silentFrom = 'nothing'")
        assert driver.execute_script("return pass(() => silent.queue.length === 0)"), "no acknowledgement"
        driver.execute_script("silent.leave()")
    finally:
        server.stop()
    assert [kind for kind, _, _ in told][:6] == ["connecting", "joined", "interrupted", "waiting", "connecting", "resumed"], told


def test_a_page_sends_no_faster_than_the_server_takes(driver):
    server = serve()
    try:
        driver.switch_to.new_window("window")
        driver.get(server.url + "mesh")
        driver.execute_script(CLOCK + SILENCE.replace("resumeMilliseconds: 30000", PACED), "nothing")
        assert driver.execute_script("return pass(() => silent.phase === 'joined' && silent.queue.length === 0)"), "not joined"
        times = driver.execute_script(
            """
            const [began, times] = [performance.now(), []];
            const transmit = silent.transmit;
            silent.pace = new Pace({ messageRate: 50, messageBurst: 20, byteRate: 1e6, byteBurst: 1e6 });
            silent.transmit = function (text) {
                times.push(performance.now() - began);
                transmit.call(this, text);
            };
            for (let i = 0; i < 50; i++) silent.send({ type: "data", data: i });
            pass(() => times.length === 50);
            return times;
            """
        )
        assert driver.execute_script("return pass(() => silent.queue.length === 0)"), "no acknowledgement"
        driver.execute_script("silent.leave()")
    finally:
        server.stop()
    # A burst of twenty less its reserve of two goes at once, the rest at 45 in a second.
    assert times[:18] == [0] * 18, times
    assert all(number / 0.045 <= time <= number / 0.045 + 2 for number, time in enumerate(times[17:])), times
    assert len(times) == 50, times


def test_the_mesh_page_says_in_words_that_the_server_is_gone(driver):
    server = serve()
    tab = Tab(driver, server.url, "alone", media=False)
    try:
        state = lambda: tab.run("return element('state').textContent")  # noqa: E731
        wait_until(lambda: state() == "You are in the room.", "words")
        server.stop(signal.SIGKILL)
        wait_until(lambda: re.fullmatch(r"The server cannot be reached\. Next attempt in \d+ s\. Calls go on meanwhile\.", state()), "words of the wait")
        tab.run("mesh.room.leave()")
        assert state() == "You left the room."
    finally:
        if server.process.poll() is None:
            server.process.kill()


@pytest.mark.parametrize("exists", [True, False])
def test_a_file_counts_as_sent_once_it_is_kept(tmp_path, exists):
    server = serve()
    folder = tmp_path if exists else tmp_path / "missing"
    keeper, sender = SwiftPeer(server.url, "keeper", "--save-to", str(folder)), SwiftPeer(server.url, "sender")
    try:
        for swift in (keeper, sender):
            swift.wait_connected(1)
        path = tmp_path / "file.bin"
        path.write_bytes(file_bytes(path.name, FILE_SIZE))
        sender.say(f"/file {path}")
        words = f"sent {path} to keeper" if exists else f"cannot send {path} to keeper: the channel was closed"
        line = wait_until(lambda: next((line for line in sender.lines if f"{path} to keeper" in line), None), "words")
        assert line.startswith(words), line
        if exists:
            assert (folder / "sender-file.bin").read_bytes() == path.read_bytes()
        else:
            wait_until(lambda: any("cannot receive a file from sender" in line for line in keeper.lines), "words")
        for swift in (sender, keeper):
            swift.leave()
        assert server.stop() == 0
    finally:
        for swift in (keeper, sender):
            swift.process.kill()
        if server.process.poll() is None:
            server.process.kill()


@pytest.mark.timeout(600)
def test_everybody_is_connected_to_everybody_whatever_happens(driver, tmp_path):
    server = serve()
    url = server.url
    port = url.rsplit(":", 1)[1].strip("/")
    swifts = [SwiftPeer(url, name, "--save-to", str(tmp_path)) for name in ("s1", "s2")]
    tabs = [Tab(driver, url, name) for name in ("c1", "c2", "c3")]
    try:
        for member in [*swifts, *tabs]:
            member.wait_connected(4)

        # Text from each to each.
        for tab in tabs:
            assert tab.run("return mesh.sendText(arguments[0])", f"héllo from {tab.name}") == 4
        for swift in swifts:
            swift.say(f"héllo from {swift.name}")
        names = [member.name for member in [*swifts, *tabs]]
        for member in [*swifts, *tabs]:
            for other in names:
                if other == member.name:
                    continue
                if isinstance(member, SwiftPeer):
                    wait_until(lambda: f"text {other}: héllo from {other}" in member.lines, f"{other}'s text")
                else:
                    wait_until(lambda: member.texts()[other] == [f"héllo from {other}"], f"{other}'s text")

        # A file from each to each, byte for byte.
        for tab in tabs:
            tab.evaluate("await mesh.sendFile(makeFile(arguments[0], arguments[1]))", f"{tab.name}.bin", FILE_SIZE)
        for swift in swifts:
            path = tmp_path / f"{swift.name}.bin"
            path.write_bytes(file_bytes(path.name, FILE_SIZE))
            swift.say(f"/file {path}")
            for other in names:
                if other != swift.name:
                    wait_until(lambda: f"sent {path} to {other}" in swift.lines, f"file to {other}: {swift.lines}")
        digests = {f"{name}.bin": hashlib.sha256(file_bytes(f"{name}.bin", FILE_SIZE)).hexdigest() for name in names}
        for swift in swifts:
            for other in names:
                if other != swift.name and other.startswith("c"):
                    path = tmp_path / f"{other}-{other}.bin"
                    assert hashlib.sha256(path.read_bytes()).hexdigest() == digests[f"{other}.bin"]
        for tab in tabs:
            received = tab.evaluate(
                "Object.fromEntries(await Promise.all([...mesh.peers.values()].flatMap((peer) => "
                "peer.files.map(async (file) => [file.name, await digest(file)]))))"
            )
            assert received == {name: value for name, value in digests.items() if name != f"{tab.name}.bin"}

        # Pictures of the other browsers move.
        for tab in tabs:
            others = [other.name for other in tabs if other is not tab]
            before = tab.evaluate("await frames()")
            wait_until(
                lambda: all(tab.evaluate("await frames()")[name] > before[name] + 10 for name in others),
                f"moving pictures at {tab.name}",
            )

        # A broken channel to the server is no matter for the calls.
        made = tabs[0].run("return connections.length")
        tabs[0].run("mesh.room.breakSocket()")
        wait_until(lambda: tabs[0].run("return mesh.room.phase") == "joined", "resumption")
        assert statistics(url)["resumptions"] == 1
        tabs[0].wait_connected(4)
        assert tabs[0].run("return [openConnections(), connections.length]") == [4, made]

        # One of each kind leaves; another comes.
        tabs[2].run("mesh.room.leave()")
        swifts.pop().leave()
        for member in [*swifts, *tabs[:2]]:
            member.wait_connected(2)
        assert tabs[2].run("return openConnections()") == 0
        tabs[2].join()
        swifts.append(SwiftPeer(url, "s3"))
        for member in [*swifts, *tabs]:
            member.wait_connected(4)

        # The server is killed, and another takes its place: all come back.
        server.stop(signal.SIGKILL)
        wait_until(lambda: all("interrupted" in swift.lines for swift in swifts), "interruption")
        server = serve("--http", f"127.0.0.1:{port}")
        for swift in swifts:
            wait_until(lambda: any(line.startswith("rejoined ") for line in swift.lines), f"{swift.lines}", DEADLINE * 2)
        for member in [*swifts, *tabs]:
            member.wait_connected(4)
        for tab in tabs:
            assert tab.run("return mesh.sendText('again')") == 4
        for swift in swifts:
            wait_until(lambda: "text c1: again" in swift.lines, "text after the restart")

        # All leave, and nothing stays.
        for swift in swifts:
            swift.leave()
        for tab in tabs:
            tab.run("mesh.room.leave()")
            assert tab.run("return openConnections()") == 0
            assert tab.run("return mesh.peers.size") == 0
        swifts = []
        nothing = {"rooms": 0, "members": 0, "connections": 0, "keptBytes": 0}
        wait_until(lambda: nothing.items() <= statistics(url).items(), f"an empty server: {statistics(url)}")
        assert server.stop() == 0
    finally:
        for swift in swifts:
            print(swift.name, *swift.lines, sep="\n  ")
            swift.process.kill()
        if server.process.poll() is None:
            server.process.kill()


@pytest.mark.parametrize("rounds", [int(os.environ.get("GLARE_ROUNDS", "40"))])
def test_offers_that_meet_again_and_again_settle(driver, rounds):
    server = serve()
    swift = SwiftPeer(server.url, "swift", "--obey", "--return-media")
    tab = Tab(driver, server.url, "tab")
    try:
        tab.wait_connected(1)
        for _ in range(rounds):
            # Both sides restart ICE; the tab's offer stays under way until the other's has come.
            tab.evaluate(
                """await (async () => {
                    const [{ connection, negotiator }] = mesh.peers.values();
                    window.until = async (condition) => {
                        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
                    };
                    window.ufrag = () => /a=ice-ufrag:(\\S+)/.exec(connection.currentLocalDescription.sdp)[1];
                    window.before = { ufrag: ufrag(), collisions: negotiator.collisions, send: negotiator.sendMessage };
                    window.underWay = [];
                    negotiator.sendMessage = (message) => underWay.push(message);
                    connection.restartIce();
                    await until(() => negotiator.outstanding);
                })()"""
            )
            swift.say("/restart")
            tab.evaluate(
                """await (async () => {
                    const [{ connection, negotiator }] = mesh.peers.values();
                    await until(() => negotiator.collisions > before.collisions || !negotiator.outstanding);
                    negotiator.sendMessage = before.send;
                    underWay.forEach((message) => before.send(message));
                    await until(() => ufrag() !== before.ufrag && connection.signalingState === "stable");
                })()"""
            )
        collisions = tab.run("return [...mesh.peers.values()][0].negotiator.collisions")
        assert collisions > rounds / 2, "offers did not meet"
        tab.wait_connected(1)
        assert tab.run("return openConnections()") == 1
        before = tab.evaluate("await frames()")["swift"]
        wait_until(lambda: tab.evaluate("await frames()")["swift"] > before + 10, f"returned pictures: {swift.lines[-9:]}")
        tab.run("mesh.sendText('still here')")
        wait_until(lambda: "text tab: still here" in swift.lines, "text after it")
        tab.run("mesh.room.leave()")
        swift.leave()
        assert server.stop() == 0
    finally:
        print(*swift.lines[-40:], sep="\n  ")
        swift.process.kill()
        if server.process.poll() is None:
            server.process.kill()
