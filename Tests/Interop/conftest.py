"""Who meets whom.

The subject is the Swift stack; INTEROP_SUBJECT puts another agent in its place, to test the tests. INTEROP_PEERS narrows
the peers: a comma-separated list of chromium, aiortc, pion.
"""

from __future__ import annotations

import os

import pytest

from harness import Agent, Pair

SUBJECT = os.environ.get("INTEROP_SUBJECT", "swift")
PEERS = [name for name in os.environ.get("INTEROP_PEERS", "chromium,aiortc,pion").split(",") if name]

# Not applicable, so not in the list of tests: aiortc has no ICE restart and does not trickle; Pion has no restartIce().
WITHOUT = {
    "iceRestart": ["aiortc"],
    "restartIce": ["aiortc", "pion"],
    "trickle": ["aiortc"],
    "selectedPair": ["aiortc"],
}


def pytest_report_header(config):
    missing = [f"{feature} with {name}" for feature, names in WITHOUT.items() for name in names if name in PEERS]
    return [f"subject: {SUBJECT}; peers: {', '.join(PEERS)}", f"not applicable: {', '.join(missing)}"]


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(feature): the peer's own API must have this, else no such test exists")


def pytest_generate_tests(metafunc):
    if "pair" not in metafunc.fixturenames:
        return
    needed = [mark.args[0] for mark in metafunc.definition.iter_markers("needs")]
    peers = [name for name in PEERS if not any(name in WITHOUT[feature] for feature in needed)]
    if any(SUBJECT in WITHOUT[feature] for feature in needed):
        peers = []
    meetings = [(name, role) for name in peers for role in ("offers", "answers")]
    metafunc.parametrize("meeting", meetings, ids=[f"{name}-{SUBJECT}-{role}" for name, role in meetings], scope="session")


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


@pytest.fixture(params=["subject", "peer"])
def side(request):
    """Which side does it."""
    return request.param

