"""A server in between: passes TCP connections on."""

from __future__ import annotations

import socket
import threading


class Carrier:
    """Passes TCP connections on to a server; subclasses see what goes either way, in pieces as they come."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def stop(self) -> None:
        self._listener.close()

    def alterer(self, goes_to_client: bool):
        """What is called for each piece of a connection's direction, and gives what is passed on; an `OSError` ends the connection."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            self.accepted += 1
            for source, target, goes_to_client in ((client, server, False), (server, client, True)):
                alter = self.alterer(goes_to_client)
                threading.Thread(target=self._carry, args=(source, target, alter), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket, alter) -> None:
        try:
            while data := source.recv(1 << 16):
                target.sendall(alter(data))
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
