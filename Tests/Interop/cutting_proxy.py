"""A proxy between a browser and a server that cuts every WebSocket, as some networks do."""

from __future__ import annotations

import socket
import threading


class CuttingProxy:
    """Passes TCP connections on, and closes those that ask for a WebSocket; with `holds` it lets them wait for ever instead."""

    def __init__(self, server: tuple[str, int], holds: bool = False) -> None:
        self._server = server
        self._holds = holds
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.cut = 0
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, looks: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                if looks and b"upgrade: websocket" in data.lower():
                    self.cut += 1
                    if not self._holds:
                        break
                    # Until the client gives up.
                    while source.recv(1 << 16):
                        pass
                    break
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self) -> None:
        self._listener.close()
