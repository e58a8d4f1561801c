"""What file-transfer shows on a terminal."""

from __future__ import annotations

import os
import pty
import random
import re
import subprocess
import threading

from harness import swift_binary
from test_file_transfer import CODE, RECEIVE, Program

SIZE = 48_000_000
BAR = re.compile(r"\r\x1b\[K\[(#*)(\.*)\] (\d+) % of 48\.0 MB(?:, (\d+(?:\.\d)?) (k|M|G)?B/s, (.+?) left)?(?=\r|\n|$)")


class Terminal:
    """A terminal for the messages of a program; what is shown on it comes here."""

    def __init__(self) -> None:
        self._master, self.end = pty.openpty()
        self._data = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 1 << 16):
                self._data += data
        except OSError:
            # Nobody has the other end any more.
            pass

    def shown(self) -> str:
        """All of it, after the program has ended."""
        self._reader.join(30)
        os.close(self._master)
        return self._data.decode()


class TerminalProgram(Program):
    """A program whose standard error is a terminal."""

    def __init__(self, *arguments: str) -> None:
        self.terminal = Terminal()
        self.process = subprocess.Popen(
            [*swift_binary("file-transfer"), *arguments], stdout=subprocess.PIPE, stderr=self.terminal.end, text=True
        )
        # The program has the only other end.
        os.close(self.terminal.end)
        self.lines, self.errors = [], []
        self._readers = [threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True)]
        self._readers[0].start()


def test_a_terminal_shows_how_much_is_done_how_fast_and_what_time_is_left(tmp_path):
    (tmp_path / "file").write_bytes(random.Random(3).randbytes(SIZE))
    program = TerminalProgram("send", "--listen", "127.0.0.1:0", str(tmp_path / "file"))
    code, url = program.find(CODE), program.find(RECEIVE)
    other = TerminalProgram("receive", code, "--http", url, "--into", str(tmp_path / "in"))
    assert other.wait(120) == 0
    assert program.wait(120) == 0
    for side in (program, other):
        shown = side.terminal.shown()
        bars = BAR.findall(shown)
        shares = [int(share) for _, _, share, *_ in bars]
        assert shares and shares == sorted(shares) and shares[-1] <= 100, shown
        for done, left, share, *_ in bars:
            assert len(done) + len(left) == 30 and abs(len(done) - int(share) * 0.3) < 1.01, (done, left, share)
        rates = [(float(rate), unit, time) for *_, rate, unit, time in bars if rate]
        assert rates and all(rate > 0 for rate, _, _ in rates), shown
        assert all(re.fullmatch(r"\d+\.\d s|\d+ min \d+ s|\d+ h \d+ min|very long", time) for *_, time in rates), rates
        # The bar is gone before a line follows.
        assert "left" not in re.split(r"\r\x1b\[K", shown)[-1], shown
        assert re.search(r"(Sent|Received) 1 file, 48\.0 MB", "\n".join(side.lines)), side.lines


def test_without_a_terminal_there_is_no_bar(tmp_path):
    (tmp_path / "file").write_bytes(random.Random(4).randbytes(3_000_000))
    program = Program("send", "--listen", "127.0.0.1:0", str(tmp_path / "file"))
    code, url = program.find(CODE), program.find(RECEIVE)
    other = Program("receive", code, "--http", url, "--into", str(tmp_path / "in"))
    assert other.wait(60) == 0, other.said
    assert program.wait(60) == 0, program.said
    for side in (program, other):
        assert "% of" not in side.said and "\x1b" not in side.said, side.said
