"""Negotiating sound and pictures; no packet of them is looked at."""

import re

import pytest
from harness import chosen

REVERSED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


def transceivers(peer):
    return peer.request("getTransceivers")["transceivers"]


def sections(description):
    """Kind, port, mid and direction of each section."""
    found = []
    for section in re.split(r"^m=", description["sdp"], flags=re.MULTILINE)[1:]:
        mid = re.search(r"^a=mid:(\S+)", section, re.MULTILINE)
        direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", section, re.MULTILINE)
        kind, port = section.split(" ", 2)[:2]
        found.append((kind, port, mid and mid[1], direction and direction[1]))
    return found


def agree(pair):
    """Both sides know the same sections, with directions that mirror each other where the peer tells of them."""
    near, far = ({each["mid"]: each for each in transceivers(peer)} for peer in (pair.offerer, pair.answerer))
    assert near.keys() == far.keys()
    for mid, mine in near.items():
        theirs = far[mid]
        assert mine["kind"] == theirs["kind"]
        if mine.get("currentDirection") and theirs.get("currentDirection"):
            assert mine["currentDirection"] == REVERSED[theirs["currentDirection"]]
    return near


@pytest.mark.parametrize("direction", ["sendrecv", "sendonly"])
def test_sound_and_pictures_are_negotiated(pair, direction):
    negotiate(pair, direction)


@pytest.mark.needs("recvonly")
def test_sound_and_pictures_are_asked_for(pair):
    negotiate(pair, "recvonly")


def negotiate(pair, direction):
    for kind in ("audio", "video"):
        pair.offerer.request("addTransceiver", kind=kind, direction=direction)
    offer, answer = pair.negotiate()
    assert [section[0] for section in sections(offer)] == ["audio", "video"]
    assert [section[::2] for section in sections(answer)] == [section[::2] for section in sections(offer)]
    assert all(port != "0" for _, port, _, _ in sections(answer))
    pair.wait_connected()
    assert len(agree(pair)) == 2


def test_data_joins_media(pair, side):
    pair.offerer.request("addTransceiver", kind="video", direction="sendrecv")
    pair.offerer.create_channel("first")
    pair.negotiate()
    pair.wait_connected()
    pair.answerer.incoming_channel(label="first")
    near, far = pair.open_channel("second", chosen(pair, side))
    near.send("beside media")
    far.expect("beside media")
    assert len(agree(pair)) == 1


def test_media_joins_data(pair, side):
    near, far = pair.connect()
    pair.wait_connected()
    adder = chosen(pair, side)
    for kind in ("video", "audio", "video"):
        adder.request("addTransceiver", kind=kind, direction="sendrecv")
    pair.negotiate(adder)
    near.send("still here")
    far.expect("still here")
    assert sorted(each["kind"] for each in agree(pair).values()) == ["audio", "video", "video"]
