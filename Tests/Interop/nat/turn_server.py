"""This package's turn-server in a lab, in the place of coturn."""

from __future__ import annotations

import subprocess
import threading

from coturn import PASSWORD, USER, Certificates, turn_url
from harness import DEADLINE, Deadline, swift_binary

from .namespaces import Namespace


class TURNServer:
    """A running server at an address of a namespace, on port 3478, and 443 for TLS."""

    port, tls_port = 3478, 443

    def __init__(self, namespace: Namespace, address: str, certificates: Certificates) -> None:
        self.address = address
        self.certificates = certificates
        options = ["--listen", address, "--port", str(self.port), "--tls-port", str(self.tls_port)]
        options += ["--certificate", str(certificates.certificate), "--key", str(certificates.key)]
        # The lab's public addresses are not on the Internet, but of a range for documentation.
        options += ["--user", f"{USER}:{PASSWORD}", "--allow-peer", "198.51.100.0/24"]
        self.process = subprocess.Popen(
            [*namespace.command, *swift_binary("turn-server"), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._changed = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._changed.wait(DEADLINE) or "ready\n" not in self._lines:
            self.stop()
            raise Deadline(f"turn-server is not ready: {self._lines}")

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.append(line)
            if line == "ready\n":
                self._changed.set()
        self._changed.set()

    def url(self, transport: str) -> str:
        return turn_url(transport, self.address, self.port, self.tls_port)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
