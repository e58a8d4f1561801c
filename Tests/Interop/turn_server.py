"""This package's turn-server: on loopback and ports that the system chose, or on a server of a lab of namespaces."""

from __future__ import annotations

import re
import signal
import subprocess
import threading

from coturn import PASSWORD, USER, Certificates, relay_only, turn_url
from harness import DEADLINE, Deadline, swift_binary
from nat.namespaces import Namespace


class TURNServer:
    """A running server; `options` are its command line."""

    def __init__(self, *options: str, namespace: Namespace | None = None) -> None:
        self.process = subprocess.Popen(
            [*(namespace.command if namespace else []), *swift_binary("turn-server"), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._changed = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._changed.wait(DEADLINE) or "ready\n" not in self.lines:
            self.kill()
            raise Deadline(f"turn-server is not ready: {self.lines}")

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            if line == "ready\n":
                self._changed.set()
        self._changed.set()

    def port(self, scheme: str, transport: str = "udp", host: str = "127.0.0.1") -> str:
        """The port that a printed URI has."""
        for line in self.lines:
            found = re.match(rf"{scheme}:\[?{re.escape(host)}\]?:(\d+)(\?transport={transport})?$", line)
            if found and (found[2] or transport == "udp"):
                return found[1]
        raise AssertionError(f"no {scheme} over {transport} in {self.lines}")

    def uri(self, transport: str) -> str:
        return f"turn:127.0.0.1:{self.port('turn', transport)}?transport={transport}"

    def stop(self) -> int:
        """Has it end in order, and gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Relay(TURNServer):
    """A server for peers of ours, with a certificate and the user that `coturn` has too.

    On loopback it relays to loopback, over both families. In a namespace it has an address and the usual ports there: 3478, and 443
    for TLS.
    """

    def __init__(self, certificates: Certificates, namespace: Namespace | None = None, address: str = "127.0.0.1") -> None:
        self.certificates = certificates
        self.address = address
        options = ["--certificate", str(certificates.certificate), "--key", str(certificates.key)]
        options += ["--user", f"{USER}:{PASSWORD}", "--listen", address]
        if namespace:
            # The lab's public addresses are not on the Internet, but of a range for documentation.
            options += ["--port", "3478", "--tls-port", "443", "--allow-peer", "198.51.100.0/24"]
        else:
            options += ["--listen", "::1", "--port", "0", "--tls-port", "0"]
            options += ["--allow-peer", "127.0.0.0/8", "--allow-peer", "::1"]
        super().__init__(*options, namespace=namespace)
        self.tcp_port = int(self.port("turn", "tcp", address))
        self.udp_port = int(self.port("turn", "udp", address))
        self.tls_port = int(self.port("turns", "tcp", address))

    def url(self, transport: str) -> str:
        return turn_url(transport, self.address, self.tcp_port if transport == "tcp" else self.udp_port, self.tls_port)

    def stun_url(self) -> str:
        return f"stun:{self.address}:{self.udp_port}"

    def configuration(self, transport: str = "udp", **more) -> dict:
        """What a peer that may use this relay only is configured with."""
        return relay_only(self.url(transport), certificates=self.certificates, **more)
