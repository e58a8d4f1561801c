"""signaling-server's WebSockets against every case of websocket_cases, by a client that speaks in bytes."""

from __future__ import annotations

import re
import socket
import struct
import threading

import pytest
from signaling import serve
from test_signaling_websocket import Raw
from websocket_cases import (
    BINARY, CASES, CLOSE, CONTINUATION, FRAGMENTED, MESSAGE_SIZES, OFFERS, SEED, TEXT, Case, Compression, Deflater, close,
    contents, fragments, frame,
)


@pytest.fixture(scope="module")
def server():
    server = serve("--compress", "--compress-from", "0", "--maximum-message", str(16 << 20))
    yield server
    assert server.stop() == 0


def write(client: Raw, pieces: list[bytes]) -> threading.Thread:
    """Writes beside, so that a server that answers while it reads is read from."""

    def run() -> None:
        try:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                client.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def play(server, case: Case) -> None:
    client = Raw(server)
    client.socket.settimeout(60)
    writer = write(client, case.send)
    expected = list(case.expect)
    got, code = [], "none"
    while True:
        if case.closes and not expected:
            writer.join()
            client.socket.sendall(close(1000))
            case = Case([], code=case.code, closes=False)
        try:
            found = client.frame()
        except ConnectionResetError:
            found = None
        if found is None:
            break
        first, payload = found
        if first == 0x80 | CLOSE:
            code = struct.unpack("!H", payload[:2])[0] if payload else None
            continue
        got.append((first, len(payload)))
        assert code == "none", "a frame after the close"
        assert expected, f"more than expected: {got[-1]}"
        assert (first & 0x8F, payload) == (0x80 | expected[0][0], expected[0][1])
        expected.pop(0)
    writer.join()
    assert case.may_drop or not expected
    assert code == case.code
    client.socket.close()


@pytest.mark.parametrize("name", CASES)
def test_case(server, name):
    play(server, CASES[name])


def compressed(server, way: Compression) -> tuple[Raw, Deflater]:
    client = Raw(server, extensions=way.offer)
    answer = client.headers.get("sec-websocket-extensions", "")
    parts = [part.strip() for part in answer.split(";")]
    assert parts[0] == "permessage-deflate"
    assert all(any(part.startswith(wanted) for part in parts) for wanted in way.has), answer
    assert not any(unwanted in answer for unwanted in way.lacks), answer
    bits = re.search(r"server_max_window_bits=(\d+)", answer)
    return client, Deflater(way, int(bits[1]) if bits else 15)


def converse(server, way: Compression, messages: list[tuple[int, bytes]], size: int | None = None) -> None:
    """Sends compressed messages, in fragments of a size if there is one, and reads them back."""
    client, deflater = compressed(server, way)
    client.socket.settimeout(60)
    pieces = []
    for opcode, payload in messages:
        data = deflater.compress(payload)
        pieces += fragments(opcode, data, size, rsv=4) if size else [frame(opcode, data, rsv=4)]
    writer = write(client, pieces)
    for opcode, payload in messages:
        first, data = client.frame()
        assert first & 0x8F == 0x80 | opcode
        assert (deflater.decompress(data) if first & 0x40 else data) == payload, f"seed {SEED}"
        assert first & 0x40 or not payload
    writer.join()
    client.socket.sendall(close(1000))
    assert client.frame() == (0x80 | CLOSE, b"\x03\xe8")
    assert client.frame() is None


# A thousand messages, as there, or as many as make so many bytes.
MOST_BYTES = 2 << 20


def many(kind: str, size: int) -> list[tuple[int, bytes]]:
    return [contents(kind, size)] * min(1000, MOST_BYTES // size)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["12.1", "12.2", "12.3", "12.4", "12.5"])
@pytest.mark.parametrize("size", MESSAGE_SIZES)
def test_compressed_messages(server, kind, size):
    converse(server, Compression("permessage-deflate"), many(kind, size))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["12.1", "12.2", "12.3", "12.4", "12.5"])
@pytest.mark.parametrize(("size", "fragment"), FRAGMENTED)
def test_compressed_messages_in_fragments(server, kind, size, fragment):
    converse(server, Compression("permessage-deflate"), many(kind, size), fragment)


@pytest.mark.parametrize("name", OFFERS)
@pytest.mark.parametrize("size", [None, 100])
def test_compression_offers(server, name, size):
    messages = [contents(kind, length) for length in MESSAGE_SIZES for kind in ("12.1", "12.4", "12.5")]
    converse(server, OFFERS[name], messages, size)


def test_a_bomb_closes_with_1009(server):
    client, deflater = compressed(server, Compression("permessage-deflate"))
    bomb = deflater.compress(bytes(64 << 20))
    assert len(bomb) < 100_000
    client.socket.sendall(frame(BINARY, bomb, rsv=4))
    assert client.close_code() == 1009


BROKEN = {
    "reserved bit on a continuation": ([frame(TEXT, b"", fin=False, rsv=4), frame(CONTINUATION, b"", rsv=4)], 1002),
    "reserved bit on a ping": ([frame(9, b"", rsv=4)], 1002),
    "another reserved bit": ([frame(TEXT, b"", rsv=6)], 1002),
    "no compressed data": ([frame(TEXT, b"\xff\xff\xff", rsv=4)], 1007),
    "cut off": ([frame(TEXT, b"\xf2\x48\xcd", rsv=4)], 1007),
    "no text": ([frame(TEXT, b"\x00\x01\x00\xfe\xff\x80\x00", rsv=4)], 1007),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_compression_closes_with_the_right_code(server, name):
    frames, code = BROKEN[name]
    client, _ = compressed(server, Compression("permessage-deflate"))
    write(client, frames).join()
    assert client.close_code() == code
