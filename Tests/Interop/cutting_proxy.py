"""A proxy between a browser and a server that cuts every WebSocket, as some networks do."""

from __future__ import annotations

from carrier import Carrier


class CuttingProxy(Carrier):
    """Passes TCP connections on, and closes those that ask for a WebSocket; with `holds` it lets them wait for ever instead."""

    def __init__(self, server: tuple[str, int], holds: bool = False) -> None:
        self._holds = holds
        self.cut = 0
        super().__init__(server)

    def alterer(self, goes_to_client: bool):
        is_held = False

        def alter(data: bytes) -> bytes:
            nonlocal is_held
            if not goes_to_client and not is_held and b"upgrade: websocket" in data.lower():
                self.cut += 1
                if not self._holds:
                    raise ConnectionAbortedError
                # Until the client gives up.
                is_held = True
            return b"" if is_held else data

        return alter
