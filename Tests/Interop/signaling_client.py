"""signaling-client as a process: lines in, lines out."""

from __future__ import annotations

import queue
import subprocess
import threading

from harness import DEADLINE, swift_binary


class Client:
    def __init__(self, url: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [*swift_binary("signaling-client"), url, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        first = self.receive()
        assert first and first.startswith("Connected by "), self.failure(first)
        self.by = first.removeprefix("Connected by ")

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def failure(self, first: str | None) -> str:
        self.process.kill()
        return f"{first}: {self.process.stderr.read()}"

    def send(self, *lines: str) -> None:
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def receive(self) -> str | None:
        """The next line; None at the end."""
        return self.lines.get(timeout=DEADLINE)

    def close(self) -> None:
        """Ends the input, and waits for an orderly end."""
        self.process.stdin.close()
        assert self.receive() is None
        assert self.process.wait(DEADLINE) == 0, self.process.stderr.read()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def exchange(client: Client, count: int = 1000) -> None:
    """Sends numbered lines and expects each of them back, in order and once."""
    lines = [f"line {number} é\U0001F600 \"quoted\\" for number in range(count)]
    sender = threading.Thread(target=client.send, args=lines)
    sender.start()
    for line in lines:
        assert client.receive() == line
    sender.join()
