"""Data channels: their options, who opens them, how many, and how they close."""

import base64
from collections import Counter

import pytest
from harness import chosen
from test_messages import ends, send_pattern
from wire import pattern

OPTIONS = {
    "unordered": {"ordered": False},
    "no-retransmits": {"maxRetransmits": 0},
    "unordered-3-retransmits": {"ordered": False, "maxRetransmits": 3},
    "lifetime": {"maxPacketLifeTime": 60_000},
    "unordered-lifetime": {"ordered": False, "maxPacketLifeTime": 60_000},
    "protocol": {"protocol": "org.example.chat"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_options_reach_the_other_side_and_messages_pass(pair, side, options):
    pair.connect()
    near, far = pair.open_channel("options", chosen(pair, side), **options)
    announced = far.announced
    assert announced["ordered"] is options.get("ordered", True)
    assert announced["maxRetransmits"] == options.get("maxRetransmits")
    assert announced["maxPacketLifeTime"] == options.get("maxPacketLifeTime")
    assert announced["protocol"] == options.get("protocol", "")
    assert announced["negotiated"] is False
    assert announced["channelId"] == near.request("getChannel")["channelId"]
    count = 100
    for sender, receiver in ((near, far), (far, near)):
        sender.request("sendPattern", kind="binary", size=100, count=count)
        received = Counter(base64.b64decode(receiver.take("message")["data"]) for _ in range(count))
        # Loopback loses nothing of this size, so partially reliable channels deliver all; only the order is free.
        assert received == Counter(pattern("binary", number, 100) for number in range(count))


def test_unordered_large_messages_arrive_whole(pair, side):
    pair.connect()
    near, far = pair.open_channel("unordered", chosen(pair, side), ordered=False)
    sizes = [60_000 - 1000 * number for number in range(20)]
    for number, size in enumerate(sizes):
        near.request("sendPattern", kind="binary", size=size, count=1, first=number)
    assert sorted(far.take("message")["size"] for _ in sizes) == sorted(sizes)


def test_label_in_other_scripts(pair, side):
    opener = chosen(pair, side)
    # aiortc counts characters where the length in bytes belongs, in what it sends.
    label = "plain label" if opener.agent.kind == "aiortc" else "Kanal ä 通道 🌍"
    pair.connect()
    near, far = pair.open_channel(label, opener)
    near.send("x")
    far.expect("x")


def test_empty_label(pair, side):
    pair.connect()
    near, far = pair.open_channel("", chosen(pair, side))
    near.send("x")
    far.expect("x")


def test_negotiated_channel_opens_without_announcement(pair):
    pair.connect()
    options = {"negotiated": True, "channelId": 77}
    mine, theirs = pair.subject.create_channel("agreed", **options), pair.peer.create_channel("agreed", **options)
    mine.wait_open(), theirs.wait_open()
    for near, far in ((mine, theirs), (theirs, mine)):
        near.send("agreed")
        far.expect("agreed")
        near.send(b"\x01\x02")
        far.expect(b"\x01\x02")
    assert not [event for peer in (pair.subject, pair.peer) for event in peer.agent.history(peer.name, "channel")
                if event["label"] == "agreed"]


def test_channels_opened_from_both_sides_have_distinct_ids(pair):
    pair.connect()
    opened = [(peer, peer.create_channel(f"{index}")) for index in range(5) for peer in (pair.subject, pair.peer)]
    identifiers = {pair.subject: set(), pair.peer: set()}
    for peer, near in opened:
        near.wait_open()
        identifiers[peer].add(near.request("getChannel")["channelId"])
    for index in range(5):
        for peer in (pair.subject, pair.peer):
            peer.incoming_channel(label=f"{index}").wait_open()
    mine, theirs = identifiers[pair.subject], identifiers[pair.peer]
    assert len(mine) == len(theirs) == 5
    # RFC 8832 section 6: the DTLS client takes even, the server odd identifiers.
    assert {identifier % 2 for identifier in mine} | {identifier % 2 for identifier in theirs} == {0, 1}
    assert len({identifier % 2 for identifier in mine}) == len({identifier % 2 for identifier in theirs}) == 1


def test_a_hundred_channels(pair):
    pair.connect()
    openers = [pair.subject if index % 2 else pair.peer for index in range(100)]
    near = [peer.create_channel(f"channel {index}") for index, peer in enumerate(openers)]
    far = [pair.other(peer).incoming_channel(label=f"channel {index}") for index, peer in enumerate(openers)]
    for channel in near + far:
        channel.wait_open()
    for index in range(100):
        near[index].send(f"to {index}")
        far[index].send(f"from {index}")
    for index in range(100):
        far[index].expect(f"to {index}")
        near[index].expect(f"from {index}")


def test_close_delivers_what_was_sent_and_closes_both_ends(pair, side):
    pair.connect()
    near, far = pair.open_channel("short", chosen(pair, side))
    far.request("receive", mode="tally", count=200)
    near.request("sendPattern", kind="binary", size=1000, count=200)
    near.close()
    far.take("tally")
    far.take("close")
    near.take("close")


def test_close_by_the_side_that_did_not_open(pair, side):
    pair.connect()
    closer = chosen(pair, side)
    near, far = pair.open_channel("short", pair.other(closer))
    near.send("one")
    far.expect("one")
    far.close()
    near.take("close")
    far.take("close")


def test_channels_can_be_opened_and_closed_over_and_over(pair, side):
    first = ends(pair, pair.connect(), side)
    for index in range(10):
        near, far = pair.open_channel(f"round {index}", chosen(pair, side))
        near.send(f"{index}")
        far.expect(f"{index}")
        near.close()
        near.take("close"), far.take("close")
    send_pattern(*first, "binary", 100, 10)


def test_channels_before_the_connection_all_open(pair):
    near = [pair.offerer.create_channel(f"early {index}") for index in range(10)]
    pair.negotiate()
    far = [pair.answerer.incoming_channel(label=f"early {index}") for index in range(10)]
    for index in range(10):
        near[index].wait_open(), far[index].wait_open()
        near[index].send(f"{index}")
        far[index].expect(f"{index}")


def test_closing_a_peer_closes_the_other_sides_channels(pair, side):
    closer = chosen(pair, side)
    channels = pair.connect()
    left = channels[0] if channels[1].peer is closer else channels[1]
    closer.close()
    left.take("close")
