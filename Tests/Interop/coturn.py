"""A real TURN server: coturn, on loopback and ports that the kernel chose, or on a server of a lab of namespaces."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Collection

from harness import DEADLINE
from nat.namespaces import Namespace

USER, PASSWORD, SECRET = "user", "a long password", "shared secret"


def free_ports(count: int, besides: Collection[int] = ()) -> list[int]:
    """Different ports that are free for both TCP and UDP, other ones than those `besides`."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            # Held until all are found: the kernel may give one again at once.
            tcp, udp = (held.enter_context(socket.socket(socket.AF_INET, kind)) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                if port not in besides:
                    found.append(port)
    return found


def free_port() -> int:
    """A port that is free for both TCP and UDP."""
    return free_ports(1)[0]


def rest_credentials(lifetime: int = 3600, user: str = "someone") -> tuple[str, str]:
    """Time-limited credentials as the TURN REST API has them."""
    name = f"{int(time.time()) + lifetime}:{user}"
    digest = hmac.new(SECRET.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(digest).decode()


class Certificates:
    """A certification authority and a certificate of it for an address and localhost."""

    def __init__(self, folder: pathlib.Path, address: str = "127.0.0.1") -> None:
        self.authority = folder / "ca.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        (folder / "names").write_text(f"subjectAltName=IP:{address},DNS:localhost\n")

        def openssl(*arguments: str) -> None:
            subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
                "-subj", "/CN=test authority")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr",
                "-subj", "/CN=localhost")
        # Chromium, which knows no authority of ours, can be told to take a key for good.
        public = subprocess.run(
            ["openssl", "pkey", "-in", "server.key", "-pubout", "-outform", "der"],
            cwd=folder, check=True, capture_output=True,
        ).stdout
        self.key_digest = base64.b64encode(hashlib.sha256(public).digest()).decode()
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", "server.pem", "-days", "2", "-extfile", "names")


class Coturn:
    """A running server; `options` are more of its command line.

    In a namespace it has an address and the usual ports there: 3478, and 443 for TLS.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *options: str,
        certificates: Certificates | None = None,
        namespace: Namespace | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self.folder = folder
        self.namespace = namespace
        self.address = address
        self.options = options
        self.certificates = certificates
        if namespace:
            self._start_on(3478, 443)
            return
        # Somebody else may take a port before the server does.
        for _ in range(2):
            with contextlib.suppress(AssertionError):
                self._start_on(*free_ports(2))
                return
        self._start_on(*free_ports(2))

    def _start_on(self, port: int, tls_port: int) -> None:
        self.port, self.tls_port = port, tls_port
        self.log = self.folder / f"coturn-{port}.log"
        self.start()

    def start(self) -> None:
        program = shutil.which("turnserver")
        if program is None:
            raise FileNotFoundError("turnserver is missing: run Scripts/install-dependencies.sh test")
        arguments = [
            *(self.namespace.command if self.namespace else []),
            program, "-n", "--no-cli", "--listening-ip", self.address, "--relay-ip", self.address,
            "--listening-port", str(self.port), "--tls-listening-port", str(self.tls_port),
            "--realm", "example.org", "--allow-loopback-peers", "--no-dtls", "--verbose", "--fingerprint",
            "--no-rfc5780", "--pidfile", str(self.folder / f"coturn-{self.port}.pid"), "--log-file", "stdout",
            "--userdb", str(self.folder / f"coturn-{self.port}.db"),
        ]
        if self.certificates:
            arguments += ["--cert", str(self.certificates.certificate), "--pkey", str(self.certificates.key)]
        else:
            arguments += ["--no-tls"]
        if not any(option.startswith("--use-auth-secret") for option in self.options):
            arguments += ["--lt-cred-mech", "--user", f"{USER}:{PASSWORD}"]
        self._output = self.log.open("ab")
        self.process = subprocess.Popen(arguments + list(self.options), stdout=self._output, stderr=subprocess.STDOUT)
        self._wait_for_ports()

    def _wait_for_ports(self) -> None:
        until = time.monotonic() + DEADLINE
        while True:
            try:
                self.namespace.inside(self._ask) if self.namespace else self._ask()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise AssertionError(f"coturn did not start: {self.log.read_text()[-2000:]}") from None
                select_briefly()

    def _ask(self) -> None:
        """Raises an `OSError` while one of the listeners is not there, which begin one after another."""
        for port in (self.port, self.tls_port) if self.certificates else (self.port,):
            socket.create_connection((self.address, port), 1).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(1)
            udp.connect((self.address, self.port))
            transaction = b"\x21\x12\xa4\x42" + os.urandom(12)
            # Binding, request and response (RFC 8489 section 5).
            udp.send(b"\x00\x01\x00\x00" + transaction)
            answer = udp.recv(1500)
            if answer[:2] != b"\x01\x01" or answer[4:20] != transaction:
                raise OSError(f"no Binding response: {answer!r}")

    def said(self, text: str) -> int:
        """How often the log has a text."""
        return self.log.read_text(errors="replace").count(text)

    def wait_for(self, text: str, count: int = 1, deadline: float | None = None) -> None:
        """Waits until the log has a text so often."""
        until = time.monotonic() + (deadline or DEADLINE)
        while self.said(text) < count:
            assert time.monotonic() < until, f"coturn did not say '{text}': {self.log.read_text()[-3000:]}"
            select_briefly()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._output.close()

    def url(self, transport: str) -> str:
        return turn_url(transport, self.address, self.port, self.tls_port)

    def stun_url(self, scheme: str = "stun") -> str:
        return f"{scheme}:{self.address}:{self.tls_port if scheme == 'stuns' else self.port}"

    def configuration(self, transport: str = "udp", **more) -> dict:
        """What a peer that may use this relay only is configured with."""
        return relay_only(self.url(transport), certificates=self.certificates, **more)


def relay_only(
    url: str, username: str = USER, credential: str = PASSWORD, certificates: Certificates | None = None, **more
) -> dict:
    """The configuration of a peer that uses nothing but a relay."""
    servers = [{"urls": [url], "username": username, "credential": credential}]
    trust = {"trust": certificates.authority.read_text()} if certificates else {}
    return {"iceServers": servers, "iceTransportPolicy": "relay", **trust, **more}


def turn_url(transport: str, address: str, port: int, tls_port: int) -> str:
    """The URL of a TURN server over `udp`, `tcp` or `tls`."""
    if transport == "tls":
        return f"turns:{address}:{tls_port}?transport=tcp"
    return f"turn:{address}:{port}?transport={transport}"


def select_briefly() -> None:
    """Lets the log grow, and listeners begin: nothing tells when they do."""
    time.sleep(0.05)
