"""A client of HTTP/2 over TLS that shows every event, on the library h2."""

from __future__ import annotations

import socket
import ssl
import time

import h2.config
import h2.connection
import h2.events
import h2.settings
from harness import DEADLINE, Deadline


class HTTP2:
    """One connection; what comes is kept by stream."""

    def __init__(self, address: tuple[str, int], authority, protocols=("h2",)) -> None:
        context = ssl.create_default_context(cafile=str(authority))
        context.set_alpn_protocols(list(protocols))
        plain = socket.create_connection(address, DEADLINE)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.chosen = self.socket.selected_alpn_protocol()
        # Faults are made on purpose here.
        config = h2.config.H2Configuration(validate_outbound_headers=False, header_encoding="utf-8")
        self.connection = h2.connection.H2Connection(config)
        self.connection.initiate_connection()
        self.flush()
        self.headers: dict[int, dict[str, str]] = {}
        self.data: dict[int, bytearray] = {}
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.goaway: h2.events.ConnectionTerminated | None = None
        self.settings: dict[int, int] = {}
        self.is_closed = False
        # Whether windows are opened again as data comes; otherwise `take` does it.
        self.takes = True
        self._untaken: list[tuple[int, int]] = []

    def take(self) -> None:
        """Opens the windows for what came and comes from now on."""
        self.takes = True
        for length, stream in self._untaken:
            self.connection.acknowledge_received_data(length, stream)
        self._untaken = []
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.connection.data_to_send())

    def request(self, method: str, path: str, body: bytes | None = None, headers=(), end: bool = True) -> int:
        stream = self.connection.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path), *headers]
        self.connection.send_headers(stream, fields, end_stream=end and body is None)
        self.flush()
        if body is not None:
            self.send(stream, body, end)
        return stream

    def open_websocket(self, path: str, headers=()) -> int:
        return self.request("CONNECT", path, headers=[(":protocol", "websocket"), ("sec-websocket-version", "13"), *headers],
                            end=False)

    def send(self, stream: int, data: bytes, end: bool = False) -> None:
        """Sends data that fits into the stream's window."""
        parts = [data[index : index + 16_384] for index in range(0, len(data), 16_384)] or [b""]
        for number, part in enumerate(parts):
            self.connection.send_data(stream, part, end_stream=end and number == len(parts) - 1)
        self.flush()

    def wait(self, condition, what: str, deadline: float = DEADLINE):
        """Reads until the condition gives something; gives that."""
        until = time.monotonic() + deadline
        while not (result := condition()):
            if self.is_closed or time.monotonic() > until:
                data = {stream: bytes(each[-200:]) for stream, each in self.data.items()}
                raise Deadline(f"no {what}: {self.headers} {data} {self.resets} {self.goaway}")
            self._read()
        return result

    def closed(self) -> None:
        while not self.is_closed:
            self._read()

    def response(self, stream: int, deadline: float = DEADLINE) -> tuple[str, bytes]:
        self.wait(lambda: stream in self.ended or stream in self.resets, f"end of stream {stream}", deadline)
        return self.headers[stream][":status"], bytes(self.data.get(stream, b""))

    def _read(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        if not data:
            self.is_closed = True
            return
        if self.goaway:
            # The library takes nothing more then.
            return
        for event in self.connection.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.headers[event.stream_id] = dict(event.headers)
                case h2.events.DataReceived():
                    self.data.setdefault(event.stream_id, bytearray()).extend(event.data)
                    if event.flow_controlled_length and not self.takes:
                        self._untaken.append((event.flow_controlled_length, event.stream_id))
                    elif event.flow_controlled_length:
                        self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded():
                    self.ended.add(event.stream_id)
                case h2.events.StreamReset():
                    self.resets[event.stream_id] = event.error_code
                case h2.events.ConnectionTerminated():
                    self.goaway = event
                case h2.events.RemoteSettingsChanged():
                    self.settings |= {int(key): changed.new_value for key, changed in event.changed_settings.items()}
        try:
            self.flush()
        except OSError:
            pass
