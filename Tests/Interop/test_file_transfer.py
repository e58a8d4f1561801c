"""file-transfer: whole programs, killed, cheated, starved and slowed down."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from harness import DEADLINE, PEERS, bad_network, swift_binary, wait_until
from turn_server import TURNServer

sys.path.insert(0, str(PEERS))
CODE = re.compile(r"^Code: (\S+)$")
RECEIVE = re.compile(r"--http (\S+)$")


class Program:
    """A running file-transfer whose output is read as it comes."""

    def __init__(self, *arguments: str, prefix=(), **options) -> None:
        self.process = subprocess.Popen(
            [*prefix, *swift_binary("file-transfer"), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", **options,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))

    def find(self, pattern: re.Pattern, deadline: float = DEADLINE) -> str:
        def found():
            has_ended = self._has_ended()
            match = next((match[1] for line in list(self.lines) if (match := pattern.search(line))), None)
            assert match or not has_ended, f"it ended with {self.process.returncode}: {self.errors}"
            return match

        return wait_until(found, pattern.pattern, deadline)

    def wait_for(self, words: str, deadline: float = DEADLINE) -> None:
        def found():
            has_ended = self._has_ended()
            assert words in self.said or not has_ended, f"it ended with {self.process.returncode}: {self.said}"
            return words in self.said

        wait_until(found, f"'{words}': {self.said}", deadline)

    def wait(self, deadline: float = DEADLINE) -> int:
        status = self.process.wait(deadline)
        self._read_all()
        return status

    def _has_ended(self) -> bool:
        """Whether it has; all that it said is there then."""
        if self.process.poll() is None:
            return False
        self._read_all()
        return True

    def _read_all(self) -> None:
        for reader in self._readers:
            reader.join(5)

    def kill(self, how=signal.SIGKILL) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(DEADLINE)

    @property
    def said(self) -> str:
        return "\n".join([*self.lines, *self.errors])


@contextlib.contextmanager
def sender(*paths, host: str = "127.0.0.1", **options):
    program = Program("send", "--listen", f"{host}:0", *map(str, paths), **options)
    try:
        program.code = program.find(CODE)
        program.url = program.find(RECEIVE)
        yield program
    finally:
        program.kill()


def receive(from_: Program, into: pathlib.Path, *options: str, code: str | None = None, **more) -> Program:
    return Program("receive", code or from_.code, "--http", from_.url, "--into", str(into), *options, **more)


def digest(folder: pathlib.Path) -> dict[bytes, tuple]:
    """All that is below a folder, by bytes."""
    found = {}
    root = os.fsencode(folder)
    for path, folders, files in os.walk(root):
        if b".rtc-parts" in folders:
            folders.remove(b".rtc-parts")
        for name in (*folders, *files):
            full = os.path.join(path, name)
            status = os.lstat(full)
            content = hashlib.sha256(pathlib.Path(os.fsdecode(full)).read_bytes()).hexdigest() if name in files else ""
            found[os.path.relpath(full, root)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def make_tree(folder: pathlib.Path, seed: int, large: int = 6_000_000) -> None:
    source = random.Random(seed)
    (folder / "sub" / "empty folder").mkdir(parents=True)
    for number in range(40):
        (folder / "sub" / f"{number}").write_bytes(source.randbytes(source.randrange(5000)))
    (folder / "ünïcode 文 עברית").write_bytes(source.randbytes(1))
    (folder / "empty").write_bytes(b"")
    for number in range(3):
        (folder / f"large {number}").write_bytes(source.randbytes(large // 3))
    (folder / "sub" / "1").chmod(0o400)
    os.utime(folder / "empty", ns=(1, 1_000_000_007_123_456_789))


def test_a_tree_arrives_over_the_senders_own_server(tmp_path):
    make_tree(tmp_path / "out" / "tree", 1)
    with sender(tmp_path / "out" / "tree") as program:
        other = receive(program, tmp_path / "in")
        assert other.wait() == 0, other.said
        assert program.wait() == 0, program.said
    assert digest(tmp_path / "in") == digest(tmp_path / "out")
    assert "direct, 127.0.0.1" in other.said or "direct" in other.said
    assert not (tmp_path / "in" / ".rtc-parts").exists()


def test_ten_thousand_small_files_arrive_in_seconds(tmp_path):
    folder = tmp_path / "out" / "many"
    for number in range(10_000):
        place = folder / str(number % 100)
        place.mkdir(parents=True, exist_ok=True)
        (place / str(number)).write_bytes(str(number).encode())
    with sender(folder) as program:
        other = receive(program, tmp_path / "in")
        assert other.wait(120) == 0, other.said
        assert program.wait() == 0, program.said
    assert digest(tmp_path / "in") == digest(tmp_path / "out")


def processor_time() -> float:
    """Of all processes of tests that have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_four_gibibytes_of_holes_arrive_at_once(tmp_path):
    sparse = tmp_path / "out" / "sparse"
    sparse.parent.mkdir()
    with open(sparse, "wb") as file:
        file.truncate(4 << 30)
        file.seek(3 << 30)
        file.write(b"in the middle")
    before = processor_time()
    with sender(sparse) as program:
        other = receive(program, tmp_path / "in")
        assert other.wait() == 0, other.said
    status = (tmp_path / "in" / "sparse").stat()
    assert status.st_size == 4 << 30 and status.st_blocks < 4096
    with open(tmp_path / "in" / "sparse", "rb") as file:
        file.seek(3 << 30)
        assert file.read(13) == b"in the middle"
    # What is read or sent of four gibibytes takes more.
    assert processor_time() - before < 5


def test_wrong_codes_lock_it(tmp_path):
    (tmp_path / "file").write_bytes(b"secret")
    with sender(tmp_path / "file") as program:
        number = program.code.split("-")[0]
        for word in ("harbor", "castle", "falcon"):
            wrong = f"{number}-{word}-pillow"
            if wrong == program.code:
                continue
            other = receive(program, tmp_path / "in", code=wrong)
            assert other.wait() == 3, other.said
        assert program.wait() == 3, program.said
    assert receive(program, tmp_path / "in", code="7-harber-pillow").wait() == 3
    assert not (tmp_path / "in" / "file").exists()


def test_nothing_is_overwritten_unless_it_is_said(tmp_path):
    (tmp_path / "file.txt").write_bytes(b"new")
    into = tmp_path / "in"
    into.mkdir()
    (into / "file.txt").write_bytes(b"old")
    for options, status, content in (((), 2, b"old"), (("--rename",), 0, b"old"), (("--overwrite",), 0, b"new")):
        with sender(tmp_path / "file.txt") as program:
            other = receive(program, into, *options)
            assert other.wait() == status, other.said
            assert program.wait() == status, program.said
        assert (into / "file.txt").read_bytes() == content
        if status:
            assert "was not overwritten" in other.said and "was not overwritten" in program.said
    assert (into / "file (1).txt").read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_full_disk_is_told_in_words_on_both_sides(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    (tmp_path / "file").write_bytes(os.urandom(6_000_000))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=True)
    try:
        with sender(tmp_path / "file") as program:
            other = receive(program, small / "in")
            assert other.wait() == 1, other.said
            assert program.wait() == 1, program.said
        assert "no space left on the disk" in other.said
        assert "on the other side: no space left on the disk" in program.said
        # With more room it goes on.
        subprocess.run(["mount", "-o", "remount,size=20m", str(small)], check=True)
        with sender(tmp_path / "file") as program:
            assert receive(program, small / "in").wait() == 0
        assert (small / "in" / "file").read_bytes() == (tmp_path / "file").read_bytes()
    finally:
        subprocess.run(["umount", str(small)], check=True)


# Root without the right to pass over permissions; anybody else has none.
WITHOUT_PRIVILEGES = ["setpriv", *(f"--{kind}=-dac_override,-dac_read_search" for kind in ("bounding-set", "inh-caps"))]
SOMEBODY_ELSE = 65_534


@pytest.mark.skipif(os.geteuid() != 0, reason="giving files to somebody else takes root")
def test_missing_permissions_are_told_in_words_on_both_sides(tmp_path):
    out = tmp_path / "out"
    (out / "tree" / "locked").mkdir(parents=True)
    (out / "tree" / "open").write_bytes(b"1")
    (out / "tree" / "closed").write_bytes(b"2")
    for name, mode in (("closed", 0o600), ("locked", 0o700)):
        os.chown(out / "tree" / name, SOMEBODY_ELSE, SOMEBODY_ELSE)
        (out / "tree" / name).chmod(mode)
    into = tmp_path / "in"
    with sender(out / "tree", prefix=WITHOUT_PRIVILEGES) as program:
        assert receive(program, into).wait() == 2
        assert program.wait() == 2
        assert program.said.count("permission denied") >= 2, program.said
    shutil.rmtree(into)
    into.mkdir(mode=0o755)
    os.chown(into, SOMEBODY_ELSE, SOMEBODY_ELSE)
    with sender(out / "tree" / "open") as program:
        other = receive(program, into, prefix=WITHOUT_PRIVILEGES)
        assert other.wait() == 1 and "permission denied" in other.said


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")
def test_losses_slow_it_down_and_harm_nothing(tmp_path):
    make_tree(tmp_path / "out" / "tree", 5, large=3_000_000)
    with bad_network("filesloss", "delay=5", "loss=5") as (left, right):
        with sender(tmp_path / "out" / "tree", host="10.77.0.1", prefix=left) as program:
            other = receive(program, tmp_path / "in", prefix=right)
            assert other.wait(120) == 0, other.said
            assert program.wait() == 0, program.said
    assert digest(tmp_path / "in") == digest(tmp_path / "out")


def part_size(folder: pathlib.Path) -> int:
    """How many bytes of incomplete files there are."""
    size = 0
    for path in folder.glob(".rtc-parts/*.part"):
        # It is whole by now, and elsewhere.
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_blocks * 512
    return size


SILENT = "Nothing comes from the other side at the moment"
BACK = "The other side is there again"


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")
@pytest.mark.parametrize("server", ["sender", "receiver"])
@pytest.mark.parametrize("length", ["short", "long"])
def test_a_transfer_outlives_a_network_that_is_away(tmp_path, length, server):
    """A short time, in which the connection stays, and one that it does not outlive; the server may be on either side of the gap."""
    content = random.Random(11).randbytes(24_000_000)
    (tmp_path / "file").write_bytes(content)
    into = tmp_path / "in"
    with contextlib.ExitStack() as stack:
        ends = stack.enter_context(bad_network("filescut", "delay=10", "rate=12"))
        left, right = ends
        if server == "sender":
            program = stack.enter_context(sender(tmp_path / "file", host="10.77.0.1", prefix=left))
        else:
            meeting = Program("send", "--listen", "10.77.0.2:0", str(tmp_path / "file"), prefix=right)
            stack.callback(meeting.kill)
            program = Program("send", "--http", meeting.find(RECEIVE), str(tmp_path / "file"), prefix=left)
            stack.callback(program.kill)
            program.code, program.url = program.find(CODE), meeting.find(RECEIVE)
        other = receive(program, into, prefix=right)
        stack.callback(other.kill)
        sides = (program, other)
        wait_until(lambda: part_size(into) > 2_000_000, "bytes")
        ends.cut()
        for side in sides:
            side.wait_for(SILENT, 20)
        if length == "long":
            for side in sides:
                side.wait_for("Interrupted: ", 45)
        size = part_size(into)
        assert size < len(content) - 1_000_000
        ends.mend()
        if length == "short":
            for side in sides:
                side.wait_for(BACK)
        # Without waiting for anything but the network and the data.
        assert other.wait(75) == 0, (program.said, other.said)
        assert program.wait() == 0, (program.said, other.said)
    assert (into / "file").read_bytes() == content
    for side in sides:
        assert side.said.count("The other side has the code.") == (1 if length == "short" else 2), side.said


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_relay_is_used_where_there_is_no_other_way_and_that_is_said(tmp_path, transport):
    make_tree(tmp_path / "out" / "tree", 8)
    server = TURNServer("--listen", "127.0.0.1", "--port", "0", "--user", "alice:secret", "--allow-peer", "127.0.0.0/8")
    try:
        relayed = ["--turn", server.uri(transport), "--turn-user", "alice", "--turn-password", "secret", "--relay-only"]
        with sender(tmp_path / "out" / "tree", *relayed) as program:
            other = receive(program, tmp_path / "in", *relayed)
            assert other.wait() == 0, other.said
            assert program.wait() == 0, program.said
        for side in (program, other):
            assert "relay" in side.said, side.said
        assert digest(tmp_path / "in") == digest(tmp_path / "out")
    finally:
        server.kill()


def test_a_browser_receives_what_was_sent(tmp_path):
    import browser

    content = random.Random(9).randbytes(3_000_001)
    (tmp_path / "file.bin").write_bytes(content)
    with sender(tmp_path / "file.bin") as program:
        driver = browser.start(str(tmp_path / "profile"), "--use-fake-ui-for-media-stream",
                               "--allow-loopback-in-peer-connection")
        try:
            driver.set_script_timeout(60)
            driver.get(f"{program.url}/files#{program.code}")
            outcome = driver.execute_async_script(RECEIVING)
        finally:
            driver.quit()
        assert outcome == {"digest": hashlib.sha256(content).hexdigest(), "size": len(content)}, (outcome, program.said)
        assert program.wait() == 0, program.said


def test_a_code_is_guessed_once_however_often_the_button_is_pressed(tmp_path):
    import browser

    (tmp_path / "file.bin").write_bytes(b"content")
    with sender(tmp_path / "file.bin") as program:
        words = program.code.split("-")
        other_word = "pillow" if words[2] != "pillow" else "guitar"
        driver = browser.start(str(tmp_path / "profile"), "--use-fake-ui-for-media-stream",
                               "--allow-loopback-in-peer-connection")
        try:
            driver.set_script_timeout(60)
            driver.get(f"{program.url}/files#{words[0]}-{words[1]}-{other_word}")
            during = driver.execute_script(PRESSING_TWICE)
            assert during == {"mailboxes": 1, "disabled": True, "state": during["state"]}, during
            assert during["state"].startswith("Receiving."), during
            lines = wait_until(lambda: driver.execute_script("return element('log').textContent"), "words", DEADLINE)
            assert lines.count("Failed") == 1 and "wrong" in lines, lines
            after = driver.execute_script(LOOKING)
            assert after == {"mailboxes": 1, "disabled": False, "state": ""}, after
            # It cost one try of three, and the right code still works.
            wait_until(lambda: "wrong code" in program.said, "the sender's words")
            assert program.said.count("wrong code") == 1, program.said
            driver.execute_script("element('code').value = arguments[0]; element('receive').click()", program.code)
            wait_until(lambda: "Received 1 files" in driver.execute_script("return element('log').textContent"), "file")
        finally:
            driver.quit()
        assert program.wait() == 0, program.said


def test_a_browser_sends(tmp_path):
    import browser

    with contextlib.closing(Idle(tmp_path)) as server:
        driver = browser.start(str(tmp_path / "profile"), "--use-fake-ui-for-media-stream",
                               "--allow-loopback-in-peer-connection")
        try:
            driver.set_script_timeout(60)
            driver.get(f"{server.url}/files")
            driver.execute_script(SENDING)
            code = wait_until(lambda: driver.execute_script("return element('given').textContent"), "code")
            other = Program("receive", code, "--http", server.url, "--into", str(tmp_path / "in"))
            assert other.wait() == 0, other.said
        finally:
            driver.quit()
    data = bytes(index * 7 % 251 for index in range(700_000))
    assert (tmp_path / "in" / "ünï 文.bin").read_bytes() == data
    assert (tmp_path / "in" / "empty").read_bytes() == b""


class Idle:
    """The server of a sender that nobody comes to."""

    def __init__(self, folder: pathlib.Path) -> None:
        (folder / "idle").write_bytes(b"")
        self.program = Program("send", "--listen", "127.0.0.1:0", str(folder / "idle"))
        self.url = self.program.find(RECEIVE)

    def close(self) -> None:
        self.program.kill()


# What the page does for a click, with the file kept instead of saved.
RECEIVING = """
const done = arguments[arguments.length - 1];
const parts = [];
const store = { open: async () => ({ write: async (bytes) => parts.push(bytes), close: async () => {}, discard: async () => {} }) };
receiveFiles(element("code").value, store).then(async () => {
    const all = new Uint8Array(await new Blob(parts).arrayBuffer());
    const hash = Array.from(await sha256(all), (byte) => byte.toString(16).padStart(2, "0")).join("");
    done({ digest: hash, size: all.length });
}, (error) => done({ error: String(error.stack) }));
"""

# What a page with counted mailboxes looks like, and two presses of the button in it.
LOOKING = """
return {
    mailboxes: window.mailboxes,
    disabled: [...document.querySelectorAll("button")].every((button) => button.disabled),
    state: element("state").textContent,
};
"""

PRESSING_TWICE = """
window.mailboxes = 0;
const Original = WebSocket;
window.WebSocket = function (...parameters) {
    window.mailboxes++;
    return new Original(...parameters);
};
// As an impatient user, and as a program that no button stops.
element("receive").click();
element("receive").click();
element("receive").onclick();
""" + LOOKING

SENDING = """
const data = new Uint8Array(700000);
for (let i = 0; i < data.length; i++) data[i] = i * 7 % 251;
sendFiles([new File([data], "ünï 文.bin"), new File([], "empty")]).catch((error) => log(error.message));
"""
