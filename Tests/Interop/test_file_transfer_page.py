"""The page on /files: what it refuses, and what it does when its disk is slow or full."""

from __future__ import annotations

import random

import pytest
from harness import wait_until
from test_file_transfer import sender

MEBIBYTE = 1 << 20


@pytest.fixture
def driver(tmp_path):
    import browser

    running = browser.start(
        str(tmp_path / "profile"), "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection"
    )
    try:
        running.set_script_timeout(120)
        yield running
    finally:
        running.quit()


# Hands messages to a receiver as a sender might, and gives the problem that it tells: 0 for none.
REFUSALS = """
const done = arguments[arguments.length - 1];
const entry = (path) => frame("entry", Uint8Array.of(0), number(420, 2), number(0, 8), number(0, 4), number(0, 8), path);
const letters = (count) => new Uint8Array(count).fill(97);
const deep = (names) => text(Array(names).fill("a").join("/"));
async function problemFor(...messages) {
    const sent = [];
    const receiver = new Receiver((bytes) => sent.push(bytes), {}, () => {});
    try {
        for (const message of [hello(), ...messages]) await receiver.receive(new Uint8Array(message).buffer);
        return 0;
    } catch (error) {
        const last = sent.at(-1);
        return last[0] === CODE.failed ? last[5] : String(error.stack);
    }
}
const many = (count, path) => {
    const messages = [];
    for (let left = count; left > 0; left -= 1000) messages.push(join(...Array(Math.min(left, 1000)).fill(entry(path))));
    return messages;
};
(async () => done({
    longest: await problemFor(entry(letters(4096))),
    tooLong: await problemFor(entry(letters(4097))),
    deepest: await problemFor(entry(deep(256))),
    tooDeep: await problemFor(entry(deep(257))),
    outside: await problemFor(entry(text("a/../../b"))),
    most: await problemFor(...many(100000, text("a"))),
    tooMany: await problemFor(...many(100001, text("a"))),
    largest: await problemFor(...many(8192, letters(4096))),
    tooLarge: await problemFor(...many(8193, letters(4096))),
    noEntry: await problemFor(frame("entry", Uint8Array.of(0))),
    cutOff: await problemFor(entry(text("a")).slice(0, -1)),
    unknown: await problemFor(Uint8Array.of(99, 0, 0, 0, 0)),
}))().catch((error) => done(String(error.stack)));
"""

BROKEN, TOO_MUCH, FORBIDDEN = 9, 11, 13


def test_a_page_bounds_the_list_and_tells_why_it_refuses(tmp_path, driver):
    (tmp_path / "file").write_bytes(b"")
    with sender(tmp_path / "file") as program:
        driver.get(f"{program.url}/files")
        assert driver.execute_async_script(REFUSALS) == {
            "longest": 0, "tooLong": FORBIDDEN, "deepest": 0, "tooDeep": FORBIDDEN, "outside": FORBIDDEN,
            "most": 0, "tooMany": TOO_MUCH, "largest": 0, "tooLarge": TOO_MUCH,
            "noEntry": BROKEN, "cutOff": BROKEN, "unknown": BROKEN,
        }


# A disk with room for a megabyte.
FULL = """
const done = arguments[arguments.length - 1];
let room = 1000000;
window.discarded = 0;
const write = async (bytes) => {
    if (bytes.length > room) throw new DOMException("It is full.", "QuotaExceededError");
    room -= bytes.length;
};
const store = { open: async () => ({ write, close: async () => {}, discard: async () => { window.discarded++; } }) };
receiveFiles(arguments[0], store).then(() => done("received"), (error) => done(error.message));
"""


def test_a_page_whose_disk_is_full_says_so_on_both_sides(tmp_path, driver):
    (tmp_path / "file").write_bytes(random.Random(1).randbytes(3_000_000))
    with sender(tmp_path / "file") as program:
        driver.get(f"{program.url}/files")
        assert driver.execute_async_script(FULL, program.code) == "no space left on the disk"
        assert driver.execute_script("return window.discarded") == 1
        assert program.wait() == 1, program.said
    assert "on the other side: no space left on the disk" in program.said, program.said


# A disk that takes nothing until it is told to; what has arrived is counted.
SLOW = """
window.arrived = 0;
window.written = 0;
const property = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, "onmessage");
Object.defineProperty(RTCDataChannel.prototype, "onmessage", { set(handler) {
    property.set.call(this, (event) => { window.arrived += event.data.byteLength; handler(event); });
} });
const released = new Promise((release) => { window.release = release; });
const write = async (bytes) => { await released; window.written += bytes.length; };
const store = { open: async () => ({ write, close: async () => {}, discard: async () => {} }) };
receiveFiles(arguments[0], store).then(() => { window.outcome = "received"; }, (error) => { window.outcome = error.message; });
"""


def test_a_page_whose_disk_is_slow_is_not_sent_more_than_it_can_hold(tmp_path, driver):
    (tmp_path / "file").write_bytes(random.Random(2).randbytes(40_000_000))
    with sender(tmp_path / "file") as program:
        driver.get(f"{program.url}/files")
        driver.execute_script(SLOW, program.code)

        def arrived() -> int:
            return driver.execute_script("return window.arrived")

        wait_until(lambda: arrived() >= 16 * MEBIBYTE, "a full window", 120)
        # Without a window it would go on; a second in which nothing comes ends the wait.
        before = -1
        while (now := arrived()) != before:
            before = now
            driver.execute_async_script("setTimeout(arguments[0], 1000)")
        assert now <= 17 * MEBIBYTE, now
        assert driver.execute_script("return window.written") == 0
        driver.execute_script("window.release()")
        wait_until(lambda: driver.execute_script("return window.outcome"), "the end", 120)
        assert driver.execute_script("return [window.outcome, window.written]") == ["received", 40_000_000]
        assert program.wait() == 0, program.said
