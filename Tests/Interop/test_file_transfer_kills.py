"""file-transfer killed at any moment: the survivor lives, and nothing that was kept is sent again."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import signal
import subprocess

import pytest
from harness import swift_binary, wait_until
from nat.namespaces import Namespace, Namespaces, unavailable
from test_echo import Server
from test_file_transfer import CODE, Program, digest

pytestmark = pytest.mark.skipif((reason := unavailable()) is not None, reason=reason or "")

MEGABYTE = 1_000_000
SIZE = 60 * MEGABYTE
KILLS = 100
# What is under way when somebody is killed: the windows of both sides, and what a part has that its journal does not.
UNDER_WAY = 20 * MEGABYTE
# Headers and acknowledgements.
OVERHEAD = 1.25


def sent_bytes(namespace: Namespace) -> int:
    """All that went over the loopback interface of the namespace, in which there is no other."""

    def read() -> int:
        for line in pathlib.Path("/proc/thread-self/net/dev").read_text().splitlines():
            name, _, numbers = line.partition(":")
            if name.strip() == "lo":
                return int(numbers.split()[8])
        raise AssertionError("no loopback interface")

    return namespace.inside(read)


def kept_bytes(folder: pathlib.Path) -> int:
    """What is there of the files, complete or not."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            try:
                status = os.stat(os.path.join(path, name))
            except FileNotFoundError:
                # It got its name meanwhile.
                continue
            if not name.endswith(".journal"):
                total += min(status.st_size, status.st_blocks * 512)
    return total


class Contest:
    """A transfer that is killed again and again; watches what goes over the network for each attempt."""

    def __init__(self, namespace: Namespace, url: str, out: pathlib.Path, into: pathlib.Path, seed: int) -> None:
        self._namespace, self._url, self._out, self.into = namespace, url, out, into
        self.chance = random.Random(seed)
        self.kills = {"sender": 0, "receiver": 0}
        self.completed = 0
        self.program: Program | None = None

    def start(self) -> Program:
        """A receiver; and a sender, if there is none that has outlived the last one."""
        self._kept_before, self._sent_before = kept_bytes(self.into), sent_bytes(self._namespace)
        if self.program is None:
            self.program = Program("send", "--http", self._url, str(self._out), prefix=self._namespace.command)
            self.program.code = self.program.find(CODE)
        return Program("receive", self.program.code, "--http", self._url, "--into", str(self.into),
                       prefix=self._namespace.command)

    def kill(self, other: Program) -> None:
        victim = self.chance.choice(["sender", "receiver"])
        self.kills[victim] += 1
        if victim == "receiver":
            other.kill()
            # Another one comes to the same sender.
            if self.program.process.poll() is not None:
                # It had the last word of the one that was killed.
                assert self.program.wait() == 0, self.program.said
                self.program = None
        else:
            self.program.kill()
            self.program = None
            # The folder is its own while it waits for the sender, who will not come back under that code. It may have it all
            # already and wait for the sender's goodbye only, and it may not have come to take signals yet.
            how = signal.SIGINT if self.kills["sender"] % 4 == 0 else signal.SIGKILL
            other.kill(how)
            assert other.wait() in (0, 130, -how), other.said
        self.check()

    def check(self) -> None:
        """What was there before the attempt is still there, and was not sent again."""
        kept, sent = kept_bytes(self.into), sent_bytes(self._namespace) - self._sent_before
        assert kept >= self._kept_before - MEGABYTE, (self._kept_before, kept)
        assert sent <= OVERHEAD * (kept - self._kept_before) + UNDER_WAY, (self._kept_before, kept, sent)

    def complete(self, other: Program, expected: dict) -> None:
        """An attempt came to its end: all is there, and the next one begins anew."""
        assert other.wait() == 0, other.said
        assert self.program.wait() == 0, self.program.said
        self.program = None
        self.check()
        assert digest(self.into) == expected
        shutil.rmtree(self.into)
        self.completed += 1

    def close(self) -> None:
        if self.program is not None:
            self.program.kill()


@pytest.mark.timeout(600)
def test_killed_a_hundred_times_on_either_side_it_goes_on_from_where_it_was(tmp_path):
    """Half of the kills come at any time from the start on, half when so and so much is there."""
    seed = int(os.environ.get("KILL_SEED", str(random.randrange(1 << 32))))
    print("KILL_SEED", seed)
    out, into = tmp_path / "out" / "tree", tmp_path / "in"
    out.mkdir(parents=True)
    content = random.Random(seed)
    for number in range(20):
        (out / f"small {number}").write_bytes(content.randbytes(3000))
    (out / "large").write_bytes(content.randbytes(SIZE))
    expected = digest(out.parent)
    namespaces = Namespaces()
    try:
        namespace = namespaces.add("kills")
        server = Server([*namespace.command, *swift_binary("signaling-server"), "--http", "127.0.0.1:0"])
        contest = Contest(namespace, server.url.rstrip("/"), out, into, seed)
        try:
            while sum(contest.kills.values()) < KILLS // 2:
                other = contest.start()
                try:
                    other.process.wait(contest.chance.random() * 0.6)
                    contest.complete(other, expected)
                except subprocess.TimeoutExpired:
                    contest.kill(other)
            # The last one comes late, so that whoever began anew then would be seen.
            while (left := KILLS - sum(contest.kills.values())) > 0 or kept_bytes(into) < SIZE // 2:
                other = contest.start()
                kept = kept_bytes(into)
                wanted = kept + contest.chance.random() * 2 * (SIZE - kept) / (max(left, 1) + 2)
                wanted = max(wanted, SIZE * 0.55) if left <= 1 else wanted
                wait_until(lambda: other.process.poll() is not None or kept_bytes(into) >= wanted, "bytes", 120)
                if other.process.poll() is None:
                    contest.kill(other)
                else:
                    contest.complete(other, expected)
            other = contest.start()
            assert other.wait(120) == 0, (seed, other.said)
            assert contest.program.wait(120) == 0, (seed, contest.program.said)
            contest.check()
        finally:
            contest.close()
            server.stop()
        print("killed", contest.kills, "completed meanwhile", contest.completed)
        assert digest(into) == expected, seed
        assert not (into / ".rtc-parts").exists()
    finally:
        namespaces.remove()
