"""Who meets whom.

The subject is the Swift stack; INTEROP_SUBJECT puts another agent in its place, to test the tests. INTEROP_PEERS narrows
the peers: a comma-separated list of chromium, aiortc, pion.
"""

from __future__ import annotations

import os

import pytest

from harness import FEED_COLOUR, Agent, Pair

SUBJECT = os.environ.get("INTEROP_SUBJECT", "swift")
PEERS = [name for name in os.environ.get("INTEROP_PEERS", "chromium,aiortc,pion").split(",") if name]

# These are tests of the Swift stack, which other agents cannot stand in for.
collect_ignore = [] if SUBJECT == "swift" else ["test_turn_client.py", "test_ice_tcp.py", "test_nat.py"]

# Not applicable, so not in the list of tests: aiortc has no ICE restart and does not trickle; Pion has no restartIce(),
# and does not refuse what the other side does not take (which concerns it as a subject only). Its Debian version ends with
# a nil pointer when a transceiver without a sender's track is negotiated.
WITHOUT = {
    "iceRestart": ["aiortc"],
    "restartIce": ["aiortc", "pion"],
    "trickle": ["aiortc"],
    "selectedPair": ["aiortc"],
    "refusal": ["pion"],
    "recvonly": ["pion"],
    # Changing what is under way, with events that tell of it.
    "mediaChanges": ["aiortc", "pion"],
    # Passing packets on from one connection to another.
    "forwarding": ["chromium", "aiortc", "pion"],
}


def pytest_report_header(config):
    missing = [
        f"{feature} with {name}"
        for feature, names in WITHOUT.items()
        for name in names
        if name in PEERS and feature not in ("refusal", "forwarding")
    ]
    return [f"subject: {SUBJECT}; peers: {', '.join(PEERS)}", f"not applicable: {', '.join(missing)}"]


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(feature): both sides' own API must have this, else no such test exists")
    config.addinivalue_line("markers", "subject_needs(feature): the same of the subject alone")


def pytest_generate_tests(metafunc):
    if "pair" not in metafunc.fixturenames:
        return

    def has(name: str, marker: str) -> bool:
        return not any(name in WITHOUT[mark.args[0]] for mark in metafunc.definition.iter_markers(marker))

    peers = [name for name in PEERS if has(name, "needs") and has(SUBJECT, "needs") and has(SUBJECT, "subject_needs")]
    meetings = [(name, role) for name in peers for role in ("offers", "answers")]
    ids = [f"{name}-{SUBJECT}-{role}" for name, role in meetings]
    metafunc.parametrize("meeting", meetings or [None], ids=ids or ["not-applicable"], scope="session")


def pytest_collection_modifyitems(config, items):
    """Takes tests that cannot exist off the list."""
    impossible = [item for item in items if "not-applicable" in item.name]
    if impossible:
        config.hook.pytest_deselected(items=impossible)
        items[:] = [item for item in items if item not in impossible]


class Agents:
    """One process of each kind, replaced when it has ended."""

    def __init__(self) -> None:
        self._running: dict[str, Agent] = {}

    def get(self, kind: str, second: bool = False) -> Agent:
        key = kind + ("-2" if second else "")
        agent = self._running.get(key)
        if agent is None or not agent.alive:
            agent = self._running[key] = Agent(kind)
        return agent

    def stop(self) -> dict[str, int]:
        return {key: agent.stop() for key, agent in self._running.items()}


@pytest.fixture(scope="session")
def agents():
    running = Agents()
    yield running
    statuses = running.stop()
    assert not any(statuses.values()), f"exit statuses of the agents: {statuses}"


@pytest.fixture
def pair(agents, meeting):
    """A subject and a peer, not yet connected; which of them offers is the test's parameter."""
    kind, role = meeting
    subject, peer = agents.get(SUBJECT), agents.get(kind, second=kind == SUBJECT)
    pair = Pair(subject, peer) if role == "offers" else Pair(peer, subject)
    pair.subject, pair.peer = (pair.offerer, pair.answerer) if role == "offers" else (pair.answerer, pair.offerer)
    yield pair
    pair.close()
    assert subject.alive, "the subject ended during the test"


@pytest.fixture
def feed(agents):
    """A second connection: a browser sends the subject a tone and a picture of FEED_COLOUR, which it can pass on."""
    pair = Pair(agents.get("chromium"), agents.get(SUBJECT))
    for kind in ("audio", "video"):
        pair.offerer.request("sendMedia", kind=kind, colour=FEED_COLOUR)
    pair.negotiate()
    pair.wait_connected()
    yield pair
    pair.close()


@pytest.fixture(params=["subject", "peer"])
def side(request):
    """Which side does it."""
    return request.param

