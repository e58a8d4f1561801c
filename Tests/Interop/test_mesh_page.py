"""The mesh page and mesh-peer against members who send without end, and what is left of calls that are over."""

from __future__ import annotations

import hashlib
import os
import pathlib

import pytest
from harness import wait_until
from signaling import serve
from test_rooms import FILE_SIZE, SwiftPeer, Tab, driver, file_bytes  # noqa: F401 (a fixture)

# Sends messages on a file's channel as nobody else would, and gives what came back until it was closed.
SEND_RAW = """await (async (messages) => {
    const [peer] = mesh.peers.values();
    const channel = peer.connection.createDataChannel("file");
    await new Promise((resolve) => channel.onopen = resolve);
    const came = [];
    channel.onmessage = ({ data }) => came.push(data);
    const closed = new Promise((resolve) => channel.onclose = resolve);
    for (const message of messages) channel.send(typeof message === "number" ? new Uint8Array(message) : message);
    await closed;
    return came;
})(arguments[0])"""


@pytest.fixture
def two_tabs(driver):  # noqa: F811
    server = serve()
    tabs = [Tab(driver, server.url, name, media=False) for name in ("victim", "other")]
    try:
        for tab in tabs:
            tab.wait_connected(1)
        yield tabs
        for tab in tabs:
            tab.run("mesh.room.leave()")
        assert server.stop() == 0
    finally:
        if server.process.poll() is None:
            server.process.kill()


HEAD = '{"name": "x", "size": %s}'


@pytest.mark.parametrize(
    ("messages", "kept"),
    [
        ([HEAD % 0, *[0] * 50], 1),
        ([HEAD % 2000, 2000, *[2000] * 50], 1),
        ([HEAD % 2000, *[0] * 50], 0),
        ([HEAD % 2000, *[1] * 50], 0),
        ([HEAD % 2000, 2001], 0),
        ([HEAD % 2000, "text"], 0),
        ([HEAD % (1 << 40)], 0),
        ([HEAD % '"2"'.replace('"', "null")], 0),
        (['{"name": 5, "size": 1}'], 0),
        (["no JSON"], 0),
        ([100], 0),
    ],
    ids=["empty file goes on", "file goes on", "empty pieces", "tiny pieces", "too much", "text", "huge", "no size", "no name",
         "no JSON", "no head"],
)
def test_a_file_that_is_none_is_ended_by_the_page(two_tabs, messages, kept):
    victim, other = two_tabs
    came = other.evaluate(SEND_RAW, messages)
    assert len(came) == kept, came
    assert victim.run("return [...mesh.peers.values()][0].files.length") == kept
    # The next one is taken all the same.
    other.evaluate("await mesh.sendFile(makeFile('next', 5000))")
    assert victim.run("return [...mesh.peers.values()][0].files.length") == kept + 1
    assert victim.run("return [...mesh.peers.values()][0].incomingFiles") <= 1


def test_the_page_keeps_the_newest_of_what_is_sent_without_end(two_tabs):
    victim, other = two_tabs
    other.evaluate("await (async () => { for (let i = 0; i < 70; i++) await mesh.sendFile(makeFile(`f${i}`, 10)); })()")
    names = victim.run("return [...mesh.peers.values()][0].files.map((file) => file.name)")
    assert names == [f"f{number}" for number in range(6, 70)]
    assert victim.run("return document.querySelectorAll('#log a').length") == 64
    other.evaluate("await (async () => { for (let i = 0; i < 250; i++) mesh.sendText(`t${i} ` + 'x'.repeat(5000)); })()")
    texts = lambda: victim.run("return [...mesh.peers.values()][0].texts.map((text) => text.split(' ')[0])")  # noqa: E731
    wait_until(lambda: texts()[-1:] == ["t249"], "texts")
    assert texts() == [f"t{number}" for number in range(50, 250)]
    assert victim.run("return document.querySelectorAll('#log li').length") == 200
    other.evaluate("await (async () => { for (let i = 0; i < 9; i++) mesh.sendText('y'.repeat(200000)); })()")
    wait_until(lambda: len(texts()) <= 6 and texts()[-1].startswith("y"), f"fewer texts: {len(texts())}")
    assert victim.run("return document.getElementById('log').textContent.length") < 1_000_000


def test_swift_peers_send_each_other_files_byte_for_byte(tmp_path):
    server = serve()
    folders = {name: tmp_path / name for name in ("s1", "s2")}
    for folder in folders.values():
        folder.mkdir()
    peers = [SwiftPeer(server.url, name, "--save-to", str(folder)) for name, folder in folders.items()]
    try:
        for peer in peers:
            peer.wait_connected(1)
        for peer, other in (peers, peers[::-1]):
            content = file_bytes(peer.name, FILE_SIZE)
            path = tmp_path / f"{peer.name}.bin"
            path.write_bytes(content)
            peer.say(f"/file {path}")
            wait_until(lambda: f"sent {path} to {other.name}" in peer.lines, f"file to {other.name}: {peer.lines}")
            said = f"file {peer.name}: {path.name}, {FILE_SIZE} bytes"
            wait_until(lambda: said in other.lines, f"the file: {other.lines}")
            saved = folders[other.name] / f"{peer.name}-{peer.name}.bin"
            assert hashlib.sha256(saved.read_bytes()).digest() == hashlib.sha256(content).digest()
        for peer in peers:
            peer.leave()
        assert server.stop() == 0
    finally:
        for process in (*(peer.process for peer in peers), server.process):
            if process.poll() is None:
                process.kill()


def descriptors(peer: SwiftPeer) -> int:
    return len(os.listdir(f"/proc/{peer.process.pid}/fd"))


def resident(peer: SwiftPeer) -> int:
    """Bytes of memory."""
    pages = int(pathlib.Path(f"/proc/{peer.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.timeout(600)
def test_a_peer_keeps_nothing_of_those_who_left():
    server = serve()
    stays = SwiftPeer(server.url, "stays")
    visitors = []
    try:
        wait_until(lambda: stays.statistics() == [0, 0, 0], "the room")
        seen = []
        for number in range(7):
            visitor = SwiftPeer(server.url, f"visitor {number}")
            visitors.append(visitor)
            for peer in (stays, visitor):
                peer.wait_connected(1)
            visitor.leave()
            stays.wait_connected(0)
            # Its sockets are closed when the other side's last words are no longer waited for.
            wait_until(lambda: not seen or descriptors(stays) <= seen[0], f"closed descriptors: {seen}, {descriptors(stays)}")
            seen.append(descriptors(stays))
            if number == 0:
                before = resident(stays)
        assert resident(stays) - before < 16 << 20, (before, resident(stays), seen)
        stays.leave()
        assert server.stop() == 0
    finally:
        for process in (stays.process, server.process, *(visitor.process for visitor in visitors)):
            if process.poll() is None:
                process.kill()
