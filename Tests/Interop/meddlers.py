"""Servers in between that alter what they carry."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import urllib.parse

from carrier import Carrier


class SealBreaker(Carrier):
    """A mailbox's server, for its clients: of all that is sealed and comes to a client one letter is another."""

    altered = 0
    MARK = b'sealed\\",\\"'

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        super().__init__((parts.hostname, parts.port))

    @property
    def url(self) -> str:
        return super().url.rstrip("/")

    def alterer(self, goes_to_client: bool):
        if not goes_to_client:
            return lambda data: data
        held = b""

        def alter(data: bytes) -> bytes:
            # Servers do not mask what they send. The beginning of a mark waits for the rest of it, and a letter.
            nonlocal held
            data = bytearray(held + data)
            start = 0
            while (found := data.find(self.MARK, start)) >= 0 and found + len(self.MARK) < len(data):
                start = found + len(self.MARK)
                data[start] = ord("B") if data[start] == ord("A") else ord("A")
                self.altered += 1
            keep = 0
            for size in range(min(len(self.MARK), len(data) - start), 0, -1):
                if data.endswith(self.MARK[:size]):
                    keep = size
                    break
            held = bytes(data[len(data) - keep:])
            return bytes(data[:len(data) - keep])

        return alter


class FlippingStream(Carrier):
    """One bit is another in so many bytes, both ways, from the given byte of a connection on."""

    altered = 0

    def __init__(self, server: tuple[str, int], seed: int, every: int, after: int) -> None:
        self._chance = random.Random(seed)
        self._every = every
        self._after = after
        super().__init__(server)

    def alterer(self, goes_to_client: bool):
        due = self._after + self._chance.randrange(self._every)
        passed = 0

        def alter(data: bytes) -> bytes:
            nonlocal due, passed
            data = bytearray(data)
            while due < passed + len(data):
                data[due - passed] ^= 1 << self._chance.randrange(8)
                self.altered += 1
                due += 1 + self._chance.randrange(2 * self._every)
            passed += len(data)
            return bytes(data)

        return alter


class FlippingDatagrams:
    """Passes datagrams on to a TURN server and back; in one of so many that carry data of channels, one bit is another."""

    def __init__(self, server: tuple[str, int], seed: int, one_of: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self._one_of = one_of
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self.port = self._front.getsockname()[1]
        self._backs: dict[tuple, socket.socket] = {}
        self.altered = 0
        threading.Thread(target=self._forward, daemon=True).start()

    def stop(self) -> None:
        for each in (self._front, *self._backs.values()):
            # A thread that waits for datagrams is woken by this only.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _alter(self, data: bytes) -> bytes:
        # ChannelData begins with a channel's number (RFC 8656 section 12.4).
        if not data or data[0] >> 6 != 1 or self._chance.randrange(self._one_of):
            return data
        data = bytearray(data)
        data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        self.altered += 1
        return bytes(data)

    def _forward(self) -> None:
        try:
            while True:
                data, client = self._front.recvfrom(1 << 16)
                if client not in self._backs:
                    back = self._backs[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    back.connect(self._server)
                    threading.Thread(target=self._return, args=(back, client), daemon=True).start()
                # The server may be gone; another may come.
                with contextlib.suppress(ConnectionRefusedError):
                    self._backs[client].send(self._alter(data))
        except OSError:
            pass

    def _return(self, back: socket.socket, client: tuple) -> None:
        try:
            while data := back.recv(1 << 16):
                self._front.sendto(self._alter(data), client)
        except OSError:
            pass

