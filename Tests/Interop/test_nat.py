"""Two peers of ours behind real NATs connect by the best pair that there is.

Every meeting has a lab of its own, and several are held side by side: the tests look at what came of theirs.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from coturn import Certificates
from nat.lab import SERVER
from nat.meeting import meeting
from nat.namespaces import unavailable
from nat.rules import KINDS

pytestmark = pytest.mark.skipif((reason := unavailable()) is not None, reason=reason or "")

AT_ONCE = 4

# What the best pair is: without any NAT, through holes in NATs, or through a relay that is reached over this protocol.
# Rows and columns are in the order of KINDS; the table is symmetric.
BEST = {
    "public": ["host"],
    "full-cone": ["hole", "hole"],
    "address-restricted": ["hole", "hole", "hole"],
    "port-restricted": ["hole", "hole", "hole", "hole"],
    "symmetric": ["hole", "hole", "hole", "udp", "udp"],
    "firewall": ["tls", "tls", "tls", "tls", "tls", "tls"],
}
MEETINGS = [
    (row, column, best) for row, line in BEST.items() for column, best in zip(KINDS, line)
]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("nat-certificates"), SERVER)


@pytest.fixture(scope="session")
def meetings(request, certificates, tmp_path_factory):
    """What came of the meetings that the chosen tests are about."""

    def hold(offering: str, answering: str) -> list[dict]:
        with meeting(tmp_path_factory.mktemp("meeting"), certificates, offering, answering) as held:
            held.connect()
            return held.selected()

    chosen = [
        (item.callspec.params["offering"], item.callspec.params["answering"])
        for item in request.session.items
        if getattr(item, "originalname", "") == "test_best_pair"
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {sites: pool.submit(hold, *sites) for sites in chosen}
        yield futures
        for future in futures.values():
            future.cancel()


def kind_of(pairs: list[dict]) -> tuple[str, list[bool]]:
    """How the pair that two peers selected runs, as in BEST, and which of them relay."""
    relays = [pair["local"]["type"] == "relay" for pair in pairs]
    if any(relays):
        (protocol,) = {pair["local"]["relayProtocol"] for pair, relay in zip(pairs, relays) if relay}
        return protocol, relays
    types = {pair[end]["type"] for pair in pairs for end in ("local", "remote")}
    return ("host" if types == {"host"} else "hole"), relays


@pytest.mark.parametrize("offering, answering, best", MEETINGS)
def test_best_pair(meetings, offering, answering, best):
    pairs = meetings[offering, answering].result()
    found, relays = kind_of(pairs)
    assert found == best, pairs
    if best == "tls":
        # Who gets nothing else through relays, and nobody else.
        assert relays == [offering == "firewall", answering == "firewall"], pairs
    elif best == "udp":
        assert sum(relays) == 1, pairs
