"""Connecting, renegotiating and ICE restarts."""

import re

import pytest
from harness import chosen
from test_messages import ends, send_pattern


def ufrag(description):
    return re.search(r"^a=ice-ufrag:(\S+)", description["sdp"], re.MULTILINE)[1]


def gather(peer, description):
    peer.request("setLocalDescription", **description)
    peer.take("candidate", candidate=None)
    return peer.request("getLocalDescription")


def test_states_end_at_connected(pair):
    pair.connect()
    pair.wait_connected()
    for peer in (pair.offerer, pair.answerer):
        state = peer.request("getState")
        assert state["signaling"] == "stable"
        assert state["ice"] in ("connected", "completed")
        assert state["connection"] == "connected"


def test_complete_descriptions_without_trickle(pair):
    for peer in (pair.offerer, pair.answerer):
        peer.agent.taps.pop(peer.name)
    near = pair.offerer.create_channel("data")
    offer = gather(pair.offerer, pair.offerer.request("createOffer"))
    pair.answerer.request("setRemoteDescription", **offer)
    answer = gather(pair.answerer, pair.answerer.request("createAnswer"))
    pair.offerer.request("setRemoteDescription", **answer)
    far = pair.answerer.incoming_channel(label="data")
    near.wait_open(), far.wait_open()
    near.send("over")
    far.expect("over")


def test_renegotiation_keeps_the_channels(pair, side):
    mine, theirs = ends(pair, pair.connect(), "subject")
    pair.wait_connected()
    before = pair.descriptions[:2]
    for _ in range(2):
        first, second = pair.negotiate(chosen(pair, side))
        assert {ufrag(first), ufrag(second)} == {ufrag(description) for _, description in before}
    for near, far in ((mine, theirs), (theirs, mine)):
        send_pattern(near, far, "text", 500, 50)
    for peer in (pair.offerer, pair.answerer):
        assert peer.request("getState")["signaling"] == "stable"


def test_renegotiation_in_the_middle_of_traffic(pair, side):
    mine, theirs = ends(pair, pair.connect(), "subject")
    count, size = 200, 1000
    for end in (mine, theirs):
        end.request("receive", mode="tally", count=count)
    numbers = [(end, end.post_pattern("binary", size, count)) for end in (mine, theirs)]
    pair.negotiate(chosen(pair, side))
    for end in (mine, theirs):
        assert end.take("tally", 60)["bytes"] == count * size
    for end, number in numbers:
        end.peer.agent.reply(number, "sendPattern")


def test_a_channel_after_renegotiation(pair, side):
    pair.connect()
    pair.wait_connected()
    pair.negotiate(chosen(pair, side))
    near, far = pair.open_channel("later", chosen(pair, side))
    near.send("later")
    far.expect("later")


@pytest.mark.needs("iceRestart")
def test_ice_restart_changes_credentials_and_keeps_the_channels(pair, side):
    mine, theirs = ends(pair, pair.connect(), "subject")
    pair.wait_connected()
    before = {ufrag(description) for _, description in pair.descriptions}
    for _ in range(2):
        offer, answer = pair.negotiate(chosen(pair, side), iceRestart=True)
        after = {ufrag(offer), ufrag(answer)}
        assert not before & after
        before = after
        for near, far in ((mine, theirs), (theirs, mine)):
            send_pattern(near, far, "binary", 500, 50)
    pair.wait_connected()


@pytest.mark.needs("iceRestart")
def test_ice_restart_in_the_middle_of_traffic(pair, side):
    mine, theirs = ends(pair, pair.connect(), "subject")
    pair.wait_connected()
    count, size = 200, 1000
    for end in (mine, theirs):
        end.request("receive", mode="tally", count=count)
    numbers = [(end, end.post_pattern("binary", size, count)) for end in (mine, theirs)]
    pair.negotiate(chosen(pair, side), iceRestart=True)
    for end in (mine, theirs):
        assert end.take("tally", 60)["bytes"] == count * size
    for end, number in numbers:
        end.peer.agent.reply(number, "sendPattern")


@pytest.mark.needs("restartIce")
def test_restart_ice_asks_for_negotiation(pair):
    channels = pair.connect()
    pair.wait_connected()
    before = {ufrag(description) for _, description in pair.descriptions}
    asked = len(pair.subject.agent.history(pair.subject.name, "negotiationneeded"))
    for _ in pair.subject.agent.pending(pair.subject.name, "negotiationneeded"):
        pair.subject.take("negotiationneeded")
    pair.subject.request("restartIce")
    pair.subject.take("negotiationneeded")
    assert len(pair.subject.agent.history(pair.subject.name, "negotiationneeded")) == asked + 1
    offer, answer = pair.negotiate(pair.subject)
    assert not before & {ufrag(offer), ufrag(answer)}
    send_pattern(*channels, "text", 100, 20)


@pytest.mark.needs("selectedPair")
def test_the_selected_pair_is_told(pair):
    pair.connect()
    pair.wait_connected()
    selected = pair.subject.request("getStats")["selectedPair"]
    assert selected is not None
    for end in ("local", "remote"):
        assert selected[end]["type"] in ("host", "srflx", "prflx")
        assert selected[end]["protocol"] == "udp"


def test_many_connections_at_once(pair, agents, meeting):
    from harness import Pair

    pairs = [Pair(pair.offerer.agent, pair.answerer.agent) for _ in range(8)]
    channels = [other.offerer.create_channel("data") for other in pairs]
    for other in pairs:
        other.negotiate()
    for index, (other, near) in enumerate(zip(pairs, channels)):
        far = other.answerer.incoming_channel(label="data")
        near.wait_open(), far.wait_open()
        near.send(f"{index}")
        far.expect(f"{index}")
    for other in pairs:
        other.close()
