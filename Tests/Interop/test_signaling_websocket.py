"""signaling-server's WebSockets: a client of another library, and one that breaks every rule."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct

import pytest
import websockets
import websockets.sync.client
from harness import DEADLINE
from signaling import serve


@pytest.fixture(scope="module")
def server():
    server = serve()
    yield server
    assert server.stop() == 0


def address(server, path: str) -> str:
    return server.url.replace("http:", "ws:").rstrip("/") + path


def connect(server, path: str = "/ws/echo", **options):
    options.setdefault("compression", None)
    return websockets.sync.client.connect(address(server, path), open_timeout=DEADLINE, max_size=None, **options)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 256 << 10])
def test_messages_of_any_size_come_back(server, size):
    with connect(server) as client:
        for message in ("é" * (size // 2), os.urandom(size)):
            client.send(message)
            assert client.recv(timeout=DEADLINE) == message


def test_fragments_come_back_as_one_message(server):
    with connect(server) as client:
        client.send(["frag", "", "ments ", "ünd so"])
        assert client.recv(timeout=DEADLINE) == "fragments ünd so"


def test_pings_are_answered_and_subprotocols_chosen(server):
    with connect(server, subprotocols=["unknown", "echo"]) as client:
        assert client.subprotocol == "echo"
        assert client.ping(b"payload").wait(DEADLINE)


def test_an_offer_of_compression_is_declined(server):
    with connect(server, compression="deflate") as client:
        client.send("plain")
        assert client.recv(timeout=DEADLINE) == "plain"
        assert not client.protocol.extensions


def test_a_close_is_answered_with_its_code(server):
    with connect(server) as client:
        client.close(4321, "over")
        assert (client.close_code, client.protocol.close_rcvd.code) == (4321, 4321)


def test_what_is_too_large_closes_with_1009(server):
    with connect(server) as client:
        client.send(b"x" * ((256 << 10) + 1))
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(timeout=DEADLINE)
        assert client.close_code == 1009


def test_many_clients_in_one_room_hear_each_other(server):
    async def run():
        clients = [
            await websockets.connect(address(server, "/ws/broadcast"), compression=None) for _ in range(20)
        ]
        # Whoever has heard itself is in the room.
        for client in clients:
            await client.send("hello")
            while await asyncio.wait_for(client.recv(), DEADLINE) != "hello":
                pass
        for number, client in enumerate(clients):
            await client.send(f"from {number}")
        for client in clients:
            heard = set()
            while len(heard) < len(clients):
                message = await asyncio.wait_for(client.recv(), DEADLINE)
                if message.startswith("from"):
                    heard.add(message)
        for client in clients:
            await client.close()

    asyncio.run(run())


class Raw:
    """A WebSocket client without manners."""

    def __init__(self, server, path: str = "/ws/echo", extensions: str | None = None) -> None:
        host, port = server.url.split("/")[2].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), DEADLINE)
        key = base64.b64encode(os.urandom(16)).decode()
        offer = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{offer}\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        assert b" 101 " in self.file.readline()
        self.headers: dict[str, str] = {}
        while (line := self.file.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()

    def send(self, first: int, payload: bytes = b"", masked: bool = True) -> None:
        length = len(payload)
        mask = os.urandom(4) if masked else b""
        bit = 0x80 if masked else 0
        if length <= 125:
            header = struct.pack("!BB", first, bit | length)
        elif length <= 0xFFFF:
            header = struct.pack("!BBH", first, bit | 126, length)
        else:
            header = struct.pack("!BBQ", first, bit | 127, length)
        body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)) if masked else payload
        self.socket.sendall(header + mask + body)

    def frame(self) -> tuple[int, bytes] | None:
        """The next frame; None at the end."""
        header = self.file.read(2)
        if len(header) < 2:
            return None
        length = header[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self.file.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.file.read(8))[0]
        return header[0], self.file.read(length)

    def close_code(self) -> int | None:
        """The code of the close frame that ends the connection; None if it ends without one."""
        while frame := self.frame():
            if frame[0] == 0x88:
                assert self.frame() is None, "something after the close"
                return struct.unpack("!H", frame[1][:2])[0]
        return None


HOSTILE = {
    "reserved bit": ([(0xC1, b"a", True)], 1002),
    "reserved opcode": ([(0x83, b"", True)], 1002),
    "no mask": ([(0x81, b"a", False)], 1002),
    "ping in pieces": ([(0x09, b"", True)], 1002),
    "long ping": ([(0x89, b"x" * 126, True)], 1002),
    "continuation of nothing": ([(0x80, b"a", True)], 1002),
    "message inside a message": ([(0x01, b"a", True), (0x81, b"b", True)], 1002),
    "close of one byte": ([(0x88, b"\x03", True)], 1002),
    "close with 1006": ([(0x88, b"\x03\xee", True)], 1002),
    "close with a broken reason": ([(0x88, b"\x03\xe8\xff", True)], 1007),
    "broken text": ([(0x81, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80", True)], 1007),
    "text that ends early": ([(0x01, b"\xe2\x82", True), (0x80, b"", True)], 1007),
    "frames without end": ([(0x02, b"x" * 65536, True)] + [(0x00, b"x" * 65536, True)] * 4, 1009),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames_close_with_the_right_code(server, name):
    frames, code = HOSTILE[name]
    client = Raw(server)
    try:
        for first, payload, masked in frames:
            client.send(first, payload, masked)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert client.close_code() == code


def test_a_frame_of_exabytes_is_refused_by_its_header(server):
    client = Raw(server)
    client.socket.sendall(b"\x82\xff" + struct.pack("!Q", 1 << 62) + b"mask")
    assert client.close_code() == 1009


def test_bytes_one_by_one_are_a_message(server):
    client = Raw(server)
    for byte in b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58":
        client.socket.sendall(bytes([byte]))
    assert client.frame() == (0x81, b"Hello")


def test_who_reads_nothing_is_cut_off_and_others_are_served(server):
    slow = Raw(server, "/ws/broadcast")
    with connect(server, "/ws/broadcast") as client:
        message = "x" * 200_000
        # Far more than the limit and what the kernel holds.
        for _ in range(150):
            client.send(message)
            assert client.recv(timeout=DEADLINE) == message
    slow.socket.settimeout(DEADLINE)
    received = 0
    try:
        while part := slow.socket.recv(1 << 20):
            received += len(part)
    except ConnectionResetError:
        pass
    assert received < 150 * len(message)
