"""Two peers of ours behind real NATs connect by the best pair that there is.

Every meeting has a lab of its own, and several are held side by side: the tests look at what came of theirs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from coturn import Certificates
from harness import DEADLINE, Deadline, wait_until
from nat.lab import SERVER
from nat.meeting import ALL_URLS, PATIENCE, Meeting, echo, meeting, neighbours, strangers
from nat.namespaces import unavailable
from nat.rules import KINDS

pytestmark = [
    pytest.mark.skipif((reason := unavailable()) is not None, reason=reason or ""),
    # A test waits for the meetings that were begun before its own.
    pytest.mark.timeout(900),
]

AT_ONCE = 4
# How often peers meet until they took the best pair. A machine that stands still for a moment holds back the checks of some
# pairs, and peers are right to take what had worked by then; without such a moment the first meeting does.
MEETINGS = 3

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
# Over what relays are reached, the best first.
PROTOCOLS = ("udp", "tcp", "tls")


def connect(held: Meeting) -> list[dict]:
    """Connects, and gives the pairs that both selected."""
    held.connect()
    return held.selected()


@dataclasses.dataclass(frozen=True)
class Plan:
    """Two peers at sites of these kinds, and what they do."""

    offering: str
    answering: str
    act: Callable[[Meeting], object] = connect
    # What the pair is that they are to take, as in BEST; `None` if any will do.
    best: str | None = None
    urls: tuple[str, ...] = ALL_URLS
    networks: tuple[str | None, str | None] = (None, None)
    # Whether the server is this package's, in the place of coturn.
    is_ours: bool = False
    # Whether they agree that the controlling one may move to a better pair at any time.
    renominates: bool = False
    # Those that wait for times to run out begin first.
    is_slow: bool = False

    def __str__(self) -> str:
        return f"{self.offering}-{self.answering}" + ("-turn-server" if self.is_ours else "")


@pytest.fixture(scope="session")
def outcomes(request, tmp_path_factory):
    """Carries out the plans of the tests that were chosen."""
    certificates = Certificates(tmp_path_factory.mktemp("nat-certificates"), SERVER)

    def meet(plan: Plan):
        with meeting(
            tmp_path_factory.mktemp("meeting"),
            certificates,
            plan.offering,
            plan.answering,
            plan.urls,
            plan.networks,
            plan.is_ours,
            renomination=plan.renominates,
        ) as held:
            return plan.act(held)

    def carry_out(plan: Plan):
        for _ in range(MEETINGS):
            came = meet(plan)
            if plan.best is None or is_best(came, plan):
                break
        return came

    # In the order of the tests, so that none waits for more than those before it.
    chosen = (item.callspec.params["plan"] for item in request.session.items if "outcome" in item.fixturenames)
    plans = dict.fromkeys(chosen)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {plan: pool.submit(carry_out, plan) for plan in sorted(plans, key=lambda plan: not plan.is_slow)}
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.fixture
def outcome(outcomes, plan):
    return outcomes[plan].result()


def plans(*plans: Plan | tuple, names: str = "plan"):
    """Parametrizes a test by plans, or by plans and what is expected of each."""
    return pytest.mark.parametrize(names, plans, ids=lambda value: str(value) if isinstance(value, Plan) else "")


def kind_of(pairs: list[dict]) -> tuple[str, list[bool]]:
    """How the pair that two peers selected runs, as in BEST, and which of them relay; of two relays that are reached over
    different protocols, the lesser one counts."""
    relays = [pair["local"]["type"] == "relay" for pair in pairs]
    if any(relays):
        protocols = {pair["local"]["relayProtocol"] for pair, relay in zip(pairs, relays) if relay}
        return max(protocols, key=PROTOCOLS.index), relays
    types = {pair[end]["type"] for pair in pairs for end in ("local", "remote")}
    return ("host" if types == {"host"} else "hole"), relays


def is_best(pairs: list[dict], plan: Plan) -> bool:
    """Whether the pair that two peers selected is the one that their plan says."""
    found, relays = kind_of(pairs)
    if found == "tls":
        # Who gets nothing out but through relays, and nobody else.
        return plan.best == "tls" and relays == [plan.offering == "firewall", plan.answering == "firewall"]
    return found == plan.best and sum(relays) == (found in PROTOCOLS)


@plans(
    *(Plan(row, column, best=best) for row, line in BEST.items() for column, best in zip(KINDS, line)),
    *(
        Plan(row, column, best=BEST[row][KINDS.index(column)], is_ours=True)
        for row, column in (
            ("port-restricted", "full-cone"),
            ("symmetric", "port-restricted"),
            ("symmetric", "symmetric"),
            ("firewall", "public"),
            ("firewall", "symmetric"),
            ("firewall", "firewall"),
        )
    ),
)
def test_best_pair(outcome, plan):
    assert is_best(outcome, plan), outcome


@plans(Plan("port-restricted", "full-cone", best="hole", networks=("10.9.0", "10.9.0")))
def test_equal_private_addresses_do_not_matter(outcome, plan):
    assert is_best(outcome, plan), outcome


def fail(held: Meeting) -> list[list[str]]:
    """Fails to connect, and gives what both hold for the cause."""
    held.pair.offerer.create_channel("data")
    held.pair.negotiate()
    peers = (held.pair.offerer, held.pair.answerer)
    for peer in peers:
        peer.take("state", deadline=PATIENCE, of="connection", value="failed")
    return [peer.request("diagnose")["problems"] for peer in peers]


@plans(
    Plan("symmetric", "symmetric", fail, urls=("stun",), is_slow=True),
    Plan("port-restricted", "symmetric", fail, urls=("stun",), is_slow=True),
)
def test_without_a_relay_the_lack_of_one_is_the_cause(outcome):
    for problems in outcome:
        assert len(problems) == 1 and "a TURN server is needed" in problems[0], outcome


@plans(Plan("firewall", "public", fail, urls=("stun", "udp"), is_slow=True))
def test_where_no_udp_gets_out_that_is_the_cause(outcome):
    walled, other = outcome
    assert "a firewall lets no UDP out" in walled[0], outcome
    assert all("could not be used" in problem for problem in walled[1:]) and len(walled) == 3, outcome
    assert len(other) == 1 and "a network that lets no UDP out" in other[0], outcome


def rebind(held: Meeting) -> tuple[dict, dict]:
    """The offering site's router forgets its mappings in the middle of a connection: what the other side selected before
    and after that."""
    near, far = held.connect()
    before = held.selected()[1]
    held.sites[0].rebind()
    echo(near, far)
    echo(far, near)
    return before, held.selected()[1]


@plans(
    Plan("symmetric", "public", rebind),
    Plan("symmetric", "full-cone", rebind),
    Plan("symmetric", "symmetric", rebind),
    Plan("firewall", "public", rebind),
)
def test_a_new_mapping_is_survived(outcome):
    before, after = outcome
    assert before["remote"] != after["remote"], outcome


def move(mover: int, held: Meeting) -> list[dict]:
    """A peer's host gets another address in the middle of a connection, and loses the one it had."""
    near, far = held.connect()
    held.sites[mover].renumber()
    echo(near, far)
    echo(far, near)
    return held.selected()


FIRST, SECOND = functools.partial(move, 0), functools.partial(move, 1)


@plans(
    *(
        (Plan(offering, answering, act), found)
        for act in (FIRST, SECOND)
        for offering, answering, found in (
            # The other side learns of the address by checks.
            ("public", "public", {"hole"}),
            # What works first is taken, and kept until the restart that is asked for: that may be any relay.
            ("port-restricted", "port-restricted", {"hole", "udp", "tcp", "tls"}),
            ("symmetric", "symmetric", {"udp", "tcp", "tls"}),
            ("firewall", "firewall", {"tls"}),
        )
    ),
    names="plan, found",
)
def test_a_new_address_is_survived(outcome, found):
    assert kind_of(outcome)[0] in found, outcome


def move_and_restart(mover: int, held: Meeting) -> tuple[list[dict], list[dict]]:
    """The same; then the restart that the mover asks for, and what was selected before and after it."""
    near, far = held.connect()
    peer = (held.pair.offerer, held.pair.answerer)[mover]
    asked = len(peer.agent.history(peer.name, "negotiationneeded"))
    held.sites[mover].renumber()
    echo(near, far)
    before = held.selected()
    wait_until(lambda: len(peer.agent.history(peer.name, "negotiationneeded")) > asked, "request for a restart")
    # The request is for one restart; more are for moments in which the machine stood still, as in MEETINGS.
    for options in ({}, *[{"iceRestart": True}] * (MEETINGS - 1)):
        held.pair.negotiate(peer, **options)
        with contextlib.suppress(Deadline):
            wait_until(lambda: kind_of(held.selected())[0] == "hole", "pair without a relay", deadline=15)
            break
    echo(near, far)
    return before, held.selected()


@plans(
    Plan("port-restricted", "port-restricted", functools.partial(move_and_restart, 0)),
    Plan("port-restricted", "port-restricted", functools.partial(move_and_restart, 1)),
)
def test_a_new_address_asks_for_a_restart_after_which_they_need_no_relay(outcome):
    before, after = outcome
    assert kind_of(before)[0] in {"hole", "udp", "tcp", "tls"} and kind_of(after)[0] == "hole", outcome


def unblock(held: Meeting) -> tuple[list[dict], list[dict]]:
    """Two peers whose networks let them talk to a relay only, and then to each other: the pairs before and after that."""
    for site, other in zip(held.sites, reversed(held.sites)):
        site.host.rules(
            f"table ip wall {{ chain in {{ type filter hook input priority filter; ip saddr {other.address} drop; }}; }}"
        )
    held.connect()
    before = held.selected()
    for site in held.sites:
        site.host.rules("delete table ip wall")
    wait_until(lambda: kind_of(held.selected())[0] == "host", "direct pair", deadline=60)
    return before, held.selected()


@plans(Plan("public", "public", unblock, urls=("udp",), renominates=True))
def test_with_renomination_a_better_pair_is_taken_as_soon_as_it_works(outcome):
    before, after = outcome
    assert kind_of(before)[0] == "udp", outcome
    assert kind_of(after)[0] == "host", outcome


def test_names_are_found_by_multicast():
    """Candidates show names, which the peers ask each other's hosts for (RFC 6762)."""
    with strangers({"hidesAddresses": True}, {"hidesAddresses": True}) as held:
        told = []
        held.pair.passes = lambda candidate: bool(told.append(candidate)) or True
        held.connect()
        assert told and all(candidate.split()[4].endswith(".local") for candidate in told), told
        # A pair of which checks told is known as peer-reflexive, until the name's address is.
        wait_until(lambda: kind_of(held.selected())[0] == "host", "names that have addresses")
        for peer, site in zip((held.pair.offerer, held.pair.answerer), reversed(held.sites)):
            assert peer.request("getStats")["selectedPair"]["remote"]["address"] in (None, site.address)
            assert ".local has no address" not in peer.request("diagnose")["text"]


@pytest.mark.parametrize("mover", [0, 1], ids=["offers", "answers"])
def test_an_endpoint_moves_to_an_address_that_appears(mover):
    """`ip addr` adds an address and takes the first one away, while data flows all the time."""
    configurations: list[dict | None] = [None, None]
    configurations[mover] = {"endpoint": True}
    with strangers(*configurations) as held:
        near, far = held.connect()
        site = held.sites[mover]
        old, new = site.address, "198.51.100.77"
        site.host.settings({"net/ipv4/conf/all/promote_secondaries": "1", "net/ipv4/conf/eth0/promote_secondaries": "1"})
        site.host.ip(f"addr add {new}/24 dev eth0")
        echo(near, far, count=20)
        assert held.selected()[mover]["local"]["address"] == old
        site.host.ip(f"addr del {old}/24 dev eth0", f"route replace default via {SERVER}")
        until = time.monotonic() + DEADLINE
        while True:
            echo(near, far, size=500, count=5)
            local = held.selected()[mover]["local"]
            if local["address"] == new:
                break
            assert time.monotonic() < until, held.selected()
        # And the other way: the old one comes back, and data goes on when the new one goes.
        site.host.ip(f"addr add {old}/24 dev eth0")
        echo(near, far, count=20)
        site.host.ip(f"addr del {new}/24 dev eth0", f"route replace default via {SERVER}")
        echo(near, far, count=20)
        wait_until(lambda: held.selected()[mover]["local"]["address"] == old, "the old address")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "public"])
def test_behind_one_router_they_connect_inside(kind):
    with neighbours(kind) as held:
        held.connect()
        # A pair that was learnt of by checks is known as peer-reflexive until the candidate is told.
        wait_until(lambda: kind_of(held.selected())[0] == "host", "pair without a hole")
