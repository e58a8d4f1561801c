"""A real STOMP broker: RabbitMQ with its STOMP plugin, a node of its own on loopback and ports that the kernel chose.

Its virtual host is `/`, which clients name in the header `host`.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from coturn import Certificates, free_ports
from harness import wait_until

USER, PASSWORD = "guest", "guest"

# Erlang takes its time on a busy machine.
START_DEADLINE = 120

SERVERS = pathlib.Path("/usr/lib/rabbitmq/lib")


def server_program() -> str:
    """The server itself: what Debian has in the path wants to run as another user."""
    found = sorted(SERVERS.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if not found or not shutil.which("erl"):
        raise FileNotFoundError("RabbitMQ is missing: run Scripts/install-dependencies.sh test")
    return str(found[-1])


class RabbitMQ:
    """A running broker. `port` is for STOMP over TCP, `web_port` for STOMP over WebSocket (path /ws), and `tls_port` for
    STOMP over TLS where there are certificates.

    Everything of the node is in `folder`; `stop` ends it, and it can be started again with what it knew.
    """

    def __init__(self, folder: pathlib.Path, certificates: Certificates | None = None) -> None:
        self._ports = free_ports(4)
        self.port, self.web_port, tls_port, amqp_port = self._ports
        self.tls_port = tls_port if certificates else None
        self.folder = folder / f"rabbitmq-{self.port}"
        self.folder.mkdir(parents=True)
        self.log = self.folder / "log"
        (self.folder / "enabled_plugins").write_text("[rabbitmq_stomp,rabbitmq_web_stomp].\n")
        settings = [
            f"listeners.tcp.default = 127.0.0.1:{amqp_port}",
            f"stomp.listeners.tcp.1 = 127.0.0.1:{self.port}",
            "web_stomp.tcp.ip = 127.0.0.1",
            f"web_stomp.tcp.port = {self.web_port}",
            "log.console = true",
            "log.file = false",
        ]
        if certificates:
            settings += [
                f"stomp.listeners.ssl.1 = 127.0.0.1:{self.tls_port}",
                f"ssl_options.cacertfile = {certificates.authority}",
                f"ssl_options.certfile = {certificates.certificate}",
                f"ssl_options.keyfile = {certificates.key}",
                "ssl_options.verify = verify_none",
            ]
        (self.folder / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
        self.start()

    def start(self) -> None:
        # New ones each time: Erlang takes no port again that a connection was on a moment ago.
        port_mapper, distribution_port = free_ports(2, besides=self._ports)
        environment = dict(
            os.environ,
            HOME=str(self.folder),
            RABBITMQ_NODENAME=f"interop-{self.port}@localhost",
            RABBITMQ_MNESIA_BASE=str(self.folder / "mnesia"),
            RABBITMQ_LOG_BASE=str(self.folder / "logs"),
            RABBITMQ_PID_FILE=str(self.folder / "pid"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self.folder / "enabled_plugins"),
            RABBITMQ_CONFIG_FILE=str(self.folder / "rabbitmq.conf"),
            RABBITMQ_CONF_ENV_FILE=str(self.folder / "none"),
            # One scheduler is enough for tests, and leaves the machine to others.
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
            ERL_EPMD_ADDRESS="127.0.0.1",
            # The script becomes the server, instead of waiting for it.
            RUNNING_UNDER_SYSTEMD="true",
            ERL_EPMD_PORT=str(port_mapper),
            RABBITMQ_DIST_PORT=str(distribution_port),
        )
        program = shutil.which("epmd") or "epmd"
        # Without one the node would start one that outlives it.
        self._epmd = subprocess.Popen(
            [program, "-address", "127.0.0.1", "-port", str(port_mapper)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: self._listens(port_mapper), "port mapper of Erlang")
        before = self.log.stat().st_size if self.log.exists() else 0
        self._output = self.log.open("ab")
        self.process = subprocess.Popen(
            [server_program()], env=environment, cwd=self.folder, stdout=self._output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_DEADLINE
        while "Server startup complete" not in self._said(before):
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise AssertionError(f"RabbitMQ did not start: {self._said(before)[-3000:]}")
            time.sleep(0.1)

    def _said(self, after: int) -> str:
        return self.log.read_bytes()[after:].decode(errors="replace")

    def said(self, text: str) -> int:
        """How often the log has a text."""
        return self._said(0).count(text)

    @staticmethod
    def _listens(port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def stop(self, kill: bool = False) -> None:
        """Ends the node; with `kill` at once and without a word to its clients."""
        for process in (self.process, self._epmd):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
                try:
                    process.wait(START_DEADLINE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._output.close()

    def __enter__(self) -> RabbitMQ:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
