"""ICE over TCP (RFC 6544): ours active and passive, Chromium active, Pion passive."""

from __future__ import annotations

import pytest

from harness import Pair


@pytest.fixture
def meet(agents):
    pairs = []

    def meet(left: dict | None, right: dict | None, peer: str, answers: bool) -> Pair:
        subject, other = agents.get("swift"), agents.get(peer, second=peer == "swift")
        pair = Pair(subject, other, left, right) if answers else Pair(other, subject, right, left)
        pair.subject, pair.peer = (pair.offerer, pair.answerer) if answers else (pair.answerer, pair.offerer)
        # Neither side learns that there is UDP.
        pair.passes = lambda candidate: candidate.split()[2].lower() == "tcp"
        pairs.append(pair)
        return pair

    yield meet
    for pair in pairs:
        pair.close()


def check(pair: Pair) -> None:
    near, far = pair.connect()
    for sender, receiver in ((near, far), (far, near)):
        receiver.request("receive", mode="tally", count=300)
        sender.post_pattern("binary", 8_000, 300)
        assert receiver.take("tally")["bytes"] == 300 * 8_000
    selected = pair.subject.request("getStats")["selectedPair"]
    assert (selected["local"]["protocol"], selected["remote"]["protocol"]) == ("tcp", "tcp"), selected


@pytest.mark.parametrize("answers", [True, False], ids=["offers", "answers"])
@pytest.mark.parametrize("roles", [("active", "passive"), ("passive", "active")], ids=["active", "passive"])
def test_with_ourselves(meet, roles, answers):
    check(meet({"tcp": [roles[0]], "udp": False}, {"tcp": [roles[1]], "udp": False}, "swift", answers))


@pytest.mark.parametrize("answers", [True, False], ids=["offers", "answers"])
def test_chromium_connects_to_us(meet, answers):
    check(meet({"tcp": ["passive"], "udp": False}, None, "chromium", answers))


@pytest.mark.parametrize("answers", [True, False], ids=["offers", "answers"])
def test_we_connect_to_pion(meet, answers):
    check(meet({"tcp": ["active"], "udp": False}, {"tcp": ["passive"]}, "pion", answers))
