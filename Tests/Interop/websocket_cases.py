"""Cases for a WebSocket echo server, after the sections of the Autobahn testsuite and under its numbers.

The testsuite itself is Python 2 code, for which Debian 12 has no interpreter. These cases are written from RFC 6455 and RFC 7692
and from what the testsuite documents that a case is about.
"""

from __future__ import annotations

import dataclasses
import os
import random
import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# The seed of every payload and mask; set INTEROP_SEED to repeat a run.
SEED = int(os.environ.get("INTEROP_SEED", random.randrange(1 << 32)))


def frame(opcode: int, payload: bytes = b"", fin: bool = True, rsv: int = 0) -> bytes:
    """A frame of a client."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    length = len(payload)
    if length <= 125:
        header = struct.pack("!BB", first, 0x80 | length)
    elif length <= 0xFFFF:
        header = struct.pack("!BBH", first, 0xFE, length)
    else:
        header = struct.pack("!BBQ", first, 0xFF, length)
    mask = os.urandom(4)
    key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
    masked = (int.from_bytes(payload, "big") ^ key).to_bytes(length, "big")
    return header + mask + masked


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, (b"" if code is None else struct.pack("!H", code)) + reason)


def chop(data: bytes, size: int) -> list[bytes]:
    return [data[index : index + size] for index in range(0, len(data), size)] or [b""]


def fragments(opcode: int, payload: bytes, size: int, rsv: int = 0) -> list[bytes]:
    """A message in fragments."""
    parts = chop(payload, size)
    return [
        frame(CONTINUATION if index else opcode, part, index == len(parts) - 1, 0 if index else rsv)
        for index, part in enumerate(parts)
    ]


@dataclasses.dataclass
class Case:
    """What is sent, and what must come."""

    # Pieces that are written to the socket one by one.
    send: list[bytes]
    # The frames that must come, in their order.
    expect: list[tuple[int, bytes]] = dataclasses.field(default_factory=list)
    # The code of the server's close frame; None where it must have none. A list where several are right.
    code: int | list[int | None] | None = 1000
    # Whether the client closes after all that is expected.
    closes: bool = True
    # Whether frames before a failure may be missing: the RFC leaves it to the server.
    may_drop: bool = False


def echo(*messages: tuple[int, bytes], size: int | None = None) -> Case:
    """Messages that come back, written in pieces of a size."""
    data = b"".join(frame(*message) for message in messages)
    return Case(chop(data, size) if size else [data], list(messages))


def fails(*send: bytes, code: int = 1002, expect=(), size: int | None = None) -> Case:
    """What the server must end the connection for."""
    pieces = chop(b"".join(send), size) if size else list(send)
    return Case(pieces, list(expect), code, closes=False, may_drop=True)


def framing() -> dict[str, Case]:
    cases = {}
    for section, opcode, unit in (("1.1", TEXT, b"*"), ("1.2", BINARY, b"\xfe")):
        for number, size in enumerate([0, 125, 126, 127, 128, 65535, 65536], 1):
            cases[f"{section}.{number}"] = echo((opcode, unit * size))
        cases[f"{section}.8"] = echo((opcode, unit * 65536), size=997)
    return cases


def pings() -> dict[str, Case]:
    def answered(payload: bytes, size: int | None = None) -> Case:
        data = frame(PING, payload)
        return Case(chop(data, size) if size else [data], [(PONG, payload)])

    many = b"".join(frame(PING, b"payload-%d" % number) for number in range(10))
    pongs = [(PONG, b"payload-%d" % number) for number in range(10)]
    return {
        "2.1": answered(b""),
        "2.2": answered(b"Hello, world!"),
        "2.3": answered(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
        "2.4": answered(b"\xfe" * 125),
        "2.5": fails(frame(PING, b"\xfe" * 126)),
        "2.6": answered(b"\xfe" * 125, 1),
        "2.7": Case([frame(PONG)]),
        "2.8": Case([frame(PONG, b"unsolicited")]),
        "2.9": Case([frame(PONG, b"unsolicited"), frame(PING, b"ping")], [(PONG, b"ping")]),
        "2.10": Case([many], pongs),
        "2.11": Case(chop(many, 1), pongs),
    }


def reserved() -> dict[str, Case]:
    hello, ping = frame(TEXT, b"Hello, world!"), frame(PING)
    before = [(TEXT, b"Hello, world!")]
    cases = {"3.1": fails(frame(TEXT, b"Hello, world!", rsv=1))}
    bad = frame(TEXT, b"Hello, world!", rsv=2)
    cases["3.2"] = fails(hello + bad + ping, expect=before)
    cases["3.3"] = fails(hello, frame(TEXT, b"Hello, world!", rsv=3), ping, expect=before)
    cases["3.4"] = fails(hello, frame(TEXT, b"Hello, world!", rsv=4), ping, expect=before, size=1)
    cases["3.5"] = fails(frame(BINARY, b"\x00\xff\xfe\xfd", rsv=5))
    cases["3.6"] = fails(frame(PING, b"Hello, world!", rsv=6))
    cases["3.7"] = fails(frame(CLOSE, b"\x03\xe8", rsv=7))
    for section, base in (("4.1", 3), ("4.2", 11)):
        for number in range(5):
            opcode = base + number
            name = f"{section}.{number + 1}"
            if number == 0:
                cases[name] = fails(frame(opcode))
            elif number == 1:
                cases[name] = fails(frame(opcode, b"reserved opcode payload"))
            else:
                data = [hello, frame(opcode, b"" if number % 2 == 0 else b"payload"), ping]
                cases[name] = fails(*data, expect=before, size=1 if number == 3 else None)
    return cases


def fragmentation() -> dict[str, Case]:
    one, two = frame(TEXT, b"fragment1", fin=False), frame(CONTINUATION, b"fragment2")
    whole = [(TEXT, b"fragment1fragment2")]
    ping, pong = frame(PING, b"ping"), (PONG, b"ping")
    stray, endless = frame(CONTINUATION, b"non-continuation payload"), frame(CONTINUATION, b"payload", fin=False)
    hello = frame(TEXT, b"Hello, world!")
    parts = [frame(TEXT, b"fragment1", fin=False)]
    parts += [frame(CONTINUATION, b"fragment%d" % number, fin=number == 5) for number in range(2, 6)]
    pings = [parts[0], parts[1], frame(PING, b"ping1"), parts[2], parts[3], frame(PING, b"ping2"), parts[4]]
    five = [(PONG, b"ping1"), (PONG, b"ping2"), (TEXT, b"".join(b"fragment%d" % number for number in range(1, 6)))]
    return {
        "5.1": fails(frame(PING, b"part", fin=False), frame(CONTINUATION, b"part")),
        "5.2": fails(frame(PONG, b"part", fin=False), frame(CONTINUATION, b"part")),
        "5.3": Case([one + two], whole),
        "5.4": Case([one, two], whole),
        "5.5": Case(chop(one + two, 1), whole),
        "5.6": Case([one + ping + two], [pong, *whole]),
        "5.7": Case([one, ping, two], [pong, *whole]),
        "5.8": Case(chop(one + ping + two, 1), [pong, *whole]),
        "5.9": fails(stray + hello),
        "5.10": fails(stray, hello),
        "5.11": fails(stray, hello, size=1),
        "5.12": fails(endless + hello),
        "5.13": fails(endless, hello),
        "5.14": fails(endless, hello, size=1),
        "5.15": fails(one + two + endless + hello, expect=whole),
        "5.16": fails(*[endless + one + two] * 2),
        "5.17": fails(*[frame(CONTINUATION, b"fragment1") + one + two] * 2),
        "5.18": fails(one, frame(TEXT, b"fragment2")),
        "5.19": Case([b"".join(pings)], five),
        "5.20": Case(pings, five),
    }


KAPPA = "κόσμε".encode()

# After Markus Kuhn's decoder stress test: a section, its sequences, and whether they are UTF-8.
SEQUENCES = [
    ("6.7", [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"], True),
    ("6.8", [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"], False),
    ("6.9", [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"], True),
    ("6.10", [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"], False),
    ("6.11", [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"], True),
    ("6.12", [b"\x80", b"\xbf", *[b"\x80\xbf" * 3 + b"\x80" * n for n in range(5)], bytes(range(0x80, 0xC0))], False),
    ("6.13", [bytes(b for lead in leads for b in (lead, 0x20)) for leads in
              (range(0xC0, 0xE0), range(0xE0, 0xF0), range(0xF0, 0xF8), range(0xF8, 0xFC), range(0xFC, 0xFE))], False),
    ("6.14", [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80", b"\xdf", b"\xef\xbf",
              b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"], False),
    ("6.15", [b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf\xfb\xbf\xbf\xbf"],
     False),
    ("6.16", [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"], False),
    ("6.17", [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"],
     False),
    ("6.18", [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"],
     False),
    ("6.19", [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"],
     False),
    ("6.20", [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80",
              b"\xed\xbf\xbf"], False),
    ("6.21", [high + low for high in (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")
              for low in (b"\xed\xb0\x80", b"\xed\xbf\xbf")], False),
    # Noncharacters are characters enough for UTF-8.
    ("6.22", [chr(plane << 16 | last).encode() for plane in range(17) for last in (0xFFFE, 0xFFFF)], True),
    ("6.23", [chr(0xFFF9 + number).encode() for number in range(7)], True),
]


def utf8() -> dict[str, Case]:
    bad = KAPPA + b"\xed\xa0\x80" + b"edited"
    text = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    cases = {
        "6.1.1": echo((TEXT, b"")),
        "6.1.2": Case(fragments(TEXT, b"", 1)[:0] + [frame(TEXT, fin=False), frame(CONTINUATION, fin=False),
                                                     frame(CONTINUATION)], [(TEXT, b"")]),
        "6.1.3": Case([frame(TEXT, fin=False), frame(CONTINUATION, b"middle", fin=False), frame(CONTINUATION)],
                      [(TEXT, b"middle")]),
        "6.2.1": echo((TEXT, text)),
        "6.2.2": Case(fragments(TEXT, text, 12), [(TEXT, text)]),
        "6.2.3": Case(fragments(TEXT, text, 1), [(TEXT, text)]),
        "6.2.4": Case(fragments(TEXT, KAPPA, 1), [(TEXT, KAPPA)]),
        "6.3.1": fails(frame(TEXT, bad), code=1007),
        "6.3.2": fails(*fragments(TEXT, bad, 1), code=1007),
        # The rest never comes: what is wrong must be seen as soon as it is there.
        "6.4.1": fails(frame(TEXT, KAPPA, fin=False), frame(CONTINUATION, b"\xf4\x90\x80\x80", fin=False), code=1007),
        "6.4.2": fails(frame(TEXT, KAPPA + b"\xf4", fin=False), frame(CONTINUATION, b"\x90", fin=False), code=1007),
        "6.4.3": fails(frame(TEXT, KAPPA + b"\xf4\x90\x80\x80" + b"edited")[:-6], code=1007),
        "6.4.4": fails(frame(TEXT, KAPPA + b"\xf4\x90\x80\x80" + b"edited")[:-8], code=1007),
        "6.5.1": echo((TEXT, b"foo\xce\xb5")),
    }
    for number in range(1, len(KAPPA) + 1):
        part = KAPPA[:number]
        is_text = part.decode(errors="ignore").encode() == part
        cases[f"6.6.{number}"] = echo((TEXT, part)) if is_text else fails(frame(TEXT, part), code=1007)
    for section, sequences, is_text in SEQUENCES:
        for number, sequence in enumerate(sequences, 1):
            case = echo((TEXT, sequence)) if is_text else fails(frame(TEXT, sequence), code=1007)
            cases[f"{section}.{number}"] = case
    return cases


def closing() -> dict[str, Case]:
    hello = frame(TEXT, b"Hello World!")
    answer = (TEXT, b"Hello World!")
    big = b"BAsd7&jh23" * 26214

    def closed(*send: bytes, code: int | list[int | None] | None = 1000, expect=(), may_drop: bool = False) -> Case:
        return Case(list(send), list(expect), code, closes=False, may_drop=may_drop)

    cases = {
        # The close is answered at once, and the application, which answers elsewhere, may come too late.
        "7.1.1": closed(hello, close(), expect=[answer], may_drop=True),
        "7.1.2": closed(close(), close()),
        "7.1.3": closed(close(), frame(PING)),
        "7.1.4": closed(close(), hello),
        "7.1.5": closed(frame(TEXT, b"fragment1", fin=False), close(), frame(CONTINUATION, b"fragment2")),
        "7.1.6": closed(frame(TEXT, big), hello, close(), frame(PING), expect=[(TEXT, big), answer], may_drop=True),
        "7.3.1": closed(close(None), code=None),
        "7.3.2": fails(frame(CLOSE, b"a")),
        "7.3.3": closed(close(1000)),
        "7.3.4": closed(close(1000, b"Hello World!")),
        "7.3.5": closed(close(1000, b"*" * 123)),
        "7.3.6": fails(frame(CLOSE, b"\x03\xe8" + b"*" * 124)),
        "7.5.1": fails(frame(CLOSE, b"\x03\xe8" + KAPPA + b"\xed\xa0\x80edited"), code=1007),
    }
    for number, code in enumerate([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999], 1):
        cases[f"7.7.{number}"] = closed(close(code), code=code)
    for number, code in enumerate([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999], 1):
        cases[f"7.9.{number}"] = fails(close(code))
    for number, code in enumerate([5000, 65535], 1):
        cases[f"7.13.{number}"] = fails(close(code))
    return cases


def sizes() -> dict[str, Case]:
    cases = {}
    kinds = (("1", "3", "5", "7", TEXT, b"BAsd7&jh"), ("2", "4", "6", "8", BINARY, b"\x00\xff\xfe\xfd\xfc\xfb\x01\x80"))
    for whole, parts, chops, many, opcode, unit in kinds:
        for number, size in enumerate([1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23, 1 << 24], 1):
            cases[f"9.{whole}.{number}"] = echo((opcode, unit * (size // 8)))
        large = unit * (1 << 19)
        for number, size in enumerate([64, 256, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22], 1):
            data = b"".join(fragments(opcode, large, size))
            cases[f"9.{parts}.{number}"] = Case(chop(data, 1 << 20), [(opcode, large)])
        for number, size in enumerate([64, 128, 256, 512, 1024, 2048], 1):
            cases[f"9.{chops}.{number}"] = echo((opcode, unit * (1 << 17)), size=size)
        for number, size in enumerate([0, 16, 64, 256, 1024, 4096], 1):
            cases[f"9.{many}.{number}"] = echo(*[(opcode, unit[:1] * size)] * 1000, size=1 << 16)
    cases["10.1.1"] = Case(fragments(TEXT, b"*" * 65536, 1300), [(TEXT, b"*" * 65536)])
    return cases


CASES = {**framing(), **pings(), **reserved(), **fragmentation(), **utf8(), **closing(), **sizes()}


@dataclasses.dataclass
class Compression:
    """One way to compress on the client's side, and what its offer must lead to."""

    offer: str
    # What the answer must have, and what it must not have.
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    client_bits: int = 15
    forgets: bool = False


NO_TAKEOVER = "server_no_context_takeover; client_no_context_takeover"
OFFERS = {
    "13.1": Compression("permessage-deflate", lacks=("client_max_window_bits", "no_context_takeover")),
    "13.2": Compression(f"permessage-deflate; {NO_TAKEOVER}", has=tuple(NO_TAKEOVER.split("; ")), forgets=True),
    "13.3": Compression("permessage-deflate; server_max_window_bits=9", has=("server_max_window_bits=9",)),
    "13.4": Compression("permessage-deflate; server_max_window_bits=15", has=("permessage-deflate",)),
    "13.5": Compression(f"permessage-deflate; server_max_window_bits=9; {NO_TAKEOVER}",
                        has=("server_max_window_bits=9", "server_no_context_takeover"), forgets=True),
    "13.6": Compression(f"permessage-deflate; server_max_window_bits=15; {NO_TAKEOVER}",
                        has=("server_no_context_takeover",), forgets=True),
    "13.7": Compression(
        "permessage-deflate; server_max_window_bits=8; client_max_window_bits, "
        "permessage-deflate; client_max_window_bits=10",
        has=("client_max_window_bits=10",), client_bits=10),
}
MESSAGE_SIZES = [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072]
# Sizes of messages, and of the fragments that they come in.
FRAGMENTED = [
    (8192, 256), (16384, 256), (32768, 256), (65536, 256), (131072, 256), (131072, 1024), (131072, 4096), (131072, 32768),
]


def contents(kind: str, size: int) -> tuple[int, bytes]:
    """A message: text that repeats itself, text of any characters, text of numbers, random bytes, or zeros."""
    source = random.Random(SEED * 31 + size)
    if kind == "12.1":
        unit = b'{"type":"candidate","candidate":"candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host"}'
        return TEXT, (unit * (size // len(unit) + 1))[:size]
    if kind == "12.2":
        text = "".join(chr(source.choice((0x41, 0xE4, 0x3BA, 0x20AC, 0x1F600)) + source.randrange(20)) for _ in range(size))
        return TEXT, text.encode()[:size].decode(errors="ignore").encode()
    if kind == "12.3":
        return TEXT, "".join(str(source.random()) for _ in range(size // 15 + 1)).encode()[:size]
    if kind == "12.4":
        return BINARY, source.randbytes(size)
    return BINARY, bytes(size)


class Deflater:
    """The client's side of permessage-deflate."""

    def __init__(self, way: Compression, server_bits: int) -> None:
        self.way, self.server_bits = way, server_bits
        self.reset()

    def reset(self) -> None:
        self._out = zlib.compressobj(6, zlib.DEFLATED, -self.way.client_bits)
        self._in = zlib.decompressobj(-self.server_bits)

    def compress(self, data: bytes) -> bytes:
        out = self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH)
        if self.way.forgets:
            self._out = zlib.compressobj(6, zlib.DEFLATED, -self.way.client_bits)
        return out[:-4]

    def decompress(self, data: bytes) -> bytes:
        out = self._in.decompress(data + b"\x00\x00\xff\xff")
        if self.way.forgets:
            self._in = zlib.decompressobj(-self.server_bits)
        return out
