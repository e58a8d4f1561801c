"""signaling-server as a process."""

from __future__ import annotations

from harness import swift_binary
from test_echo import Server


def serve(*options: str) -> Server:
    return Server([*swift_binary("signaling-server"), "--http", "127.0.0.1:0", *options])
