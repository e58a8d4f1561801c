"""Two peers of ours, each at a site of a lab of their own, and a TURN server between them."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

from coturn import PASSWORD, USER, Certificates, Coturn
from harness import Agent, Channel, Pair, expected_tally
from turn_server import Relay

from .lab import SERVER, Lab, Site
from .namespaces import Namespace

# What servers that are run with care refuse to relay to.
PRIVATE = "--denied-peer-ip=10.0.0.0-10.255.255.255"
ALL_URLS = ("stun", "udp", "tcp", "tls")
# How many seconds peers have to find another path, or that there is none: requests are repeated for half a minute and more.
PATIENCE = 90


class Meeting:
    """The lab with everything that runs in it."""

    def __init__(self, lab: Lab, sites: list[Site], pair: Pair) -> None:
        self.lab = lab
        self.sites = sites
        self.pair = pair

    def connect(self) -> tuple[Channel, Channel]:
        """Connects, and sends data both ways."""
        channels = self.pair.connect()
        echo(*channels)
        echo(*reversed(channels))
        return channels

    def selected(self) -> list[dict]:
        """The selected pairs of both, the offerer's first."""
        return [peer.request("getStats")["selectedPair"] for peer in (self.pair.offerer, self.pair.answerer)]


def echo(sender: Channel, mirror: Channel, size: int = 1_000, count: int = 50) -> None:
    """Sends messages and compares what comes back."""
    mirror.request("receive", mode="echo")
    sender.request("receive", mode="tally", count=count)
    sender.post_pattern("binary", size, count)
    tally = sender.take("tally", deadline=PATIENCE)
    assert {key: tally[key] for key in ("count", "bytes", "crc32")} == expected_tally("binary", size, count)
    mirror.request("receive", mode="each")


@contextlib.contextmanager
def meeting(
    folder: pathlib.Path,
    certificates: Certificates,
    offering: str,
    answering: str,
    urls: tuple[str, ...] = ALL_URLS,
    networks: tuple[str | None, str | None] = (None, None),
    is_ours: bool = False,
    **options,
) -> Iterator[Meeting]:
    """Two peers that have not negotiated yet. `urls` says which of the server's they use: `stun`, `udp`, `tcp`, `tls`.

    The server is coturn, or this package's. `options` are more members of both configurations.
    """
    with contextlib.ExitStack() as stack:
        lab = _lab(stack)
        sites = [lab.add(kind, network=network) for kind, network in zip((offering, answering), networks)]
        if is_ours:
            server = Relay(certificates, lab.server, SERVER)
        else:
            server = Coturn(folder, PRIVATE, certificates=certificates, namespace=lab.server, address=SERVER)
        stack.callback(server.kill if is_ours else server.stop)
        configuration = _configuration(server, urls) | options
        yield Meeting(lab, sites, _pair(stack, [site.host for site in sites], configuration))


@contextlib.contextmanager
def strangers(*configurations: dict | None) -> Iterator[Meeting]:
    """Two peers on the public segment, without a server, configured one by one."""
    with contextlib.ExitStack() as stack:
        lab = _lab(stack)
        sites = [lab.add("public") for _ in configurations]
        yield Meeting(lab, sites, _pair(stack, [site.host for site in sites], *configurations))


@contextlib.contextmanager
def neighbours(kind: str) -> Iterator[Meeting]:
    """Two peers behind one router, without a server."""
    with contextlib.ExitStack() as stack:
        lab = _lab(stack)
        site = lab.add(kind, hosts=2)
        yield Meeting(lab, [site], _pair(stack, site.hosts))


def _lab(stack: contextlib.ExitStack) -> Lab:
    lab = Lab()
    stack.callback(lab.close)
    return lab


def _configuration(server: Coturn | Relay, urls: tuple[str, ...]) -> dict:
    servers = [
        {"urls": [server.stun_url()]}
        if url == "stun"
        else {"urls": [server.url(url)], "username": USER, "credential": PASSWORD}
        for url in urls
    ]
    return {"iceServers": servers, "trust": server.certificates.authority.read_text()}


def _pair(stack: contextlib.ExitStack, hosts: list[Namespace], *configurations: dict | None) -> Pair:
    """A peer in each of two namespaces, with one configuration for both or one for each; `stack` ends them."""
    agents = []
    for host in hosts:
        agents.append(Agent("swift", host.command))
        stack.callback(agents[-1].stop)
    pair = Pair(*agents, *(configurations * 2)[:2])
    stack.callback(pair.close)
    return pair
