"""What the Python agents share: the message pattern and the checksums of PROTOCOL.md."""

import base64
import zlib


def pattern(kind: str, number: int, size: int) -> bytes:
    """Message `number` of `size` bytes."""
    base = number * 31
    if kind == "binary":
        # (i >> 8) * 13 is constant over 256 bytes, and i * 7 repeats after 256.
        body = b"".join(_block((base + block * 13) % 256, 256) for block in range((size + 255) >> 8))[:size]
        return number.to_bytes(4, "big") + body[4:] if size >= 4 else body
    body = bytes(32 + (base + i * 7 + (i >> 8) * 13) % 95 for i in range(size))
    return b"%08d" % number + body[8:] if size >= 8 else body


_blocks: dict[int, bytes] = {}


def _block(start: int, length: int) -> bytes:
    if start not in _blocks:
        _blocks[start] = bytes((start + i * 7) % 256 for i in range(256))
    return _blocks[start][:length]


def payload_of(message: str | bytes) -> tuple[str, bytes]:
    if isinstance(message, str):
        return "text", message.encode()
    return "binary", bytes(message)


def describe(kind: str, payload: bytes) -> dict:
    """The members of a `message` event that tell of the payload."""
    members = {"kind": kind, "size": len(payload), "crc32": zlib.crc32(payload)}
    if len(payload) <= 256:
        members["data"] = base64.b64encode(payload).decode()
    return members


class Tally:
    """The running count and CRC-32 of mode `tally`."""

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.crc32 = 0

    def add(self, kind: str, payload: bytes) -> None:
        self.count += 1
        self.bytes += len(payload)
        head = (b"t" if kind == "text" else b"b") + len(payload).to_bytes(4, "big")
        self.crc32 = zlib.crc32(payload, zlib.crc32(head, self.crc32))

    def members(self) -> dict:
        return {"count": self.count, "bytes": self.bytes, "crc32": self.crc32}


def expected_tally(kind: str, size: int, count: int, first: int = 0) -> dict:
    tally = Tally()
    for number in range(first, first + count):
        tally.add(kind, pattern(kind, number, size))
    return tally.members()
