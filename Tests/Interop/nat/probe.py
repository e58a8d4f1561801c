"""Finds out how a site's NAT behaves, as RFC 5780 does, with sockets of our own."""

from __future__ import annotations

import dataclasses
import socket

from .lab import SECOND_SERVER, SERVER, Lab, Site
from .namespaces import Namespace

Address = tuple[str, int]
# How long something may take that arrives on a network without delay.
PATIENCE = 5.0


@dataclasses.dataclass
class Behaviour:
    """What was seen; `None` if UDP does not pass at all."""

    # Where datagrams of one socket seem to come from, as seen by ports of the server: the first and the second of its
    # first address, and the first of its second.
    mappings: list[Address]
    # Which of these the socket hears when it has sent to the first only.
    hears: list[bool]


def bound(namespace: Namespace, address: str) -> socket.socket:
    """A datagram socket on a port that the kernel chose."""
    opened = namespace.socket()
    opened.bind((address, 0))
    opened.settimeout(PATIENCE)
    return opened


def probe(lab: Lab, site: Site) -> Behaviour:
    """Looks at the mapping and the filtering of a site."""
    ears = [bound(lab.server, address) for address in (SERVER, SERVER, SECOND_SERVER)]
    try:
        with bound(site.host, site.address) as peer:
            mappings = [arrival(peer, ear) for ear in ears]
        with bound(site.host, site.address) as peer:
            hears = _heard(peer, ears, arrival(peer, ears[0]))
        return Behaviour(mappings, hears)
    finally:
        for ear in ears:
            ear.close()


def arrival(peer: socket.socket, ear: socket.socket) -> Address:
    """Where a datagram of the peer seems to come from."""
    peer.sendto(b"request", ear.getsockname())
    return ear.recvfrom(100)[1]


def _heard(peer: socket.socket, ears: list[socket.socket], mapped: Address) -> list[bool]:
    """Which of the senders the peer hears at a mapped address.

    The one that it must hear speaks last, and twice: when that has come, the others would have, too.
    """
    heard = set()
    for _ in range(2):
        for ear in (*ears[1:], ears[0]):
            ear.sendto(b"answer", mapped)
        while (sender := peer.recvfrom(100)[1]) != ears[0].getsockname():
            heard.add(sender)
    return [True] + [ear.getsockname() in heard for ear in ears[1:]]


def hears_strangers(lab: Lab, site: Site) -> bool:
    """Whether a port that was never used outward hears what comes to it, and stays usable after that."""
    with bound(site.host, site.address) as peer, bound(lab.server, SERVER) as ear:
        port = peer.getsockname()[1]
        for candidate in (port, port + 10_000):
            ear.sendto(b"unasked", (site.public, candidate))
        source = arrival(peer, ear)
        ear.sendto(b"answer", source)
        return peer.recvfrom(100)[0] != b"answer"


def reaches(lab: Lab, site: Site, port: int, kind: socket.SocketKind, patience: float = PATIENCE) -> bool:
    """Whether a peer reaches a port of the server over UDP or TCP within so many seconds."""
    with lab.server.socket(kind) as ear, site.host.socket(kind) as peer:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((SERVER, port))
        ear.settimeout(patience)
        peer.settimeout(patience)
        try:
            if kind == socket.SOCK_DGRAM:
                return bool(arrival(peer, ear))
            ear.listen()
            peer.connect((SERVER, port))
            ear.accept()[0].close()
            return True
        except TimeoutError:
            return False
