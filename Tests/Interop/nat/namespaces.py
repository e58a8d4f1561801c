"""Network namespaces: making and removing them, running programs and opening sockets in them."""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading

CLONE_NEWNET = 0x4000_0000
NETLINK_NETFILTER = 12
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)
_numbering = threading.Lock()


@functools.cache
def unavailable() -> str | None:
    """Why no lab can be made here; `None` if one can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "nft"):
        if shutil.which(program) is None:
            return f"{program} is missing: run Scripts/install-dependencies.sh test"
    try:
        trial = Namespaces()
    except OSError as error:
        return f"network namespaces cannot be made: {error}"
    try:
        trial.add("trial").rules(
            "table ip nat { chain out { type nat hook postrouting priority srcnat; masquerade random,fully-random; }; }"
        )
    except OSError as error:
        return f"network namespaces or NAT rules cannot be made: {error}"
    finally:
        trial.remove()
    return None


def _run(*command: str, text: str | None = None) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")


class Namespace:
    """One network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name
        _run("ip", "netns", "add", name)
        self.settings({"net/ipv6/conf/all/disable_ipv6": "1", "net/ipv6/conf/default/disable_ipv6": "1"})
        self.ip("link set lo up")

    @property
    def command(self) -> list[str]:
        """What goes before a command to run it in here."""
        return ["ip", "netns", "exec", self.name]

    def ip(self, *lines: str) -> None:
        """Carries out commands of `ip`."""
        _run("ip", "-n", self.name, "-batch", "-", text="".join(f"{line}\n" for line in lines))

    def rules(self, text: str) -> None:
        """Adds nftables rules."""
        _run(*self.command, "nft", "-f", "-", text=text)

    def settings(self, values: dict[str, str]) -> None:
        """Writes below /proc/sys, whose `net` shows the namespace of the thread that opens it."""

        def write() -> None:
            for path, value in values.items():
                # A kernel without IPv6 has nothing to switch off.
                if (file := pathlib.Path("/proc/sys") / path).exists():
                    file.write_text(value)

        self.inside(write)

    def socket(self, kind: socket.SocketKind = socket.SOCK_DGRAM) -> socket.socket:
        """An IPv4 socket of this namespace, which any thread may use."""
        return self.inside(lambda: socket.socket(socket.AF_INET, kind))

    def forget_connections(self) -> None:
        """Empties the table of tracked connections, as `conntrack -F` does."""
        request, acknowledge, delete = 0x1, 0x4, 0x102
        message = struct.pack("=IHHIIBBH", 20, delete, request | acknowledge, 1, 0, socket.AF_INET, 0, 0)
        with self.inside(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)) as netlink:
            netlink.send(message)
            _, _, _, _, _, error = struct.unpack_from("=IHHIIi", netlink.recv(4096))
            if error:
                raise OSError(-error, f"cannot forget the connections of {self.name}")

    def inside(self, function):
        """What a function gives that runs in this namespace, on a thread of its own."""
        result = []

        def enter() -> None:
            try:
                with open(f"/run/netns/{self.name}", "rb") as file:
                    if _libc.setns(file.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), f"cannot enter {self.name}")
                result.append((function(), None))
            except Exception as error:
                result.append((None, error))

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        value, error = result[0]
        if error is not None:
            raise error
        return value


class Namespaces:
    """Namespaces that are removed together; their names begin alike and are nobody else's."""

    def __init__(self) -> None:
        with _numbering:
            self.prefix = f"nat-{os.getpid()}-{next(_numbers)}"
        self._made: list[Namespace] = []

    def add(self, name: str) -> Namespace:
        self._made.append(Namespace(f"{self.prefix}-{name}"))
        return self._made[-1]

    def remove(self) -> None:
        """Removes them, and with them their interfaces and rules. Programs in them must have ended."""
        for namespace in self._made:
            subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True)
        self._made.clear()
