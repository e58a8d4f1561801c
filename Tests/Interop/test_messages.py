"""Messages cross unaltered, both ways, in order, up to the largest."""

import re

import pytest
from harness import AgentError, expected_tally

SAMPLES = [
    "a",
    b"\x00",
    "",
    b"",
    "hello",
    bytes(range(256)),
    "Grüße, 世界, 🌍",
    b"\xff\xfe" * 100,
    "line\nbreak\u0000 and nul",
]


def send_pattern(near, far, kind, size, count, first=0, deadline=None):
    """Sends `count` messages from one end and checks kinds, borders, contents and order at the other."""
    far.request("receive", mode="tally", count=count)
    number = near.post_pattern(kind, size, count, first)
    event = far.take("tally", deadline)
    near.peer.agent.reply(number, "sendPattern")
    assert {key: event[key] for key in ("count", "bytes", "crc32")} == expected_tally(kind, size, count, first)


def ends(pair, channels, side):
    """(sending, receiving) end, where `side` sends."""
    mine = channels[0] if channels[0].peer is pair.subject else channels[1]
    theirs = channels[1] if mine is channels[0] else channels[0]
    return (mine, theirs) if side == "subject" else (theirs, mine)


def largest(pair, sender, receiver):
    """What the sender may send: its own limit, the receiver's, and what the receiver's description says."""
    limits = [sender.agent.limit("maxSend"), receiver.agent.limit("maxReceive")]
    for target, description in pair.descriptions:
        if target is sender:
            found = re.search(r"^a=max-message-size:(\d+)", description["sdp"], re.MULTILINE)
            limits.append(int(found[1]) if found else 65536)
    return min(limit for limit in limits if limit > 0)


def test_text_and_binary_of_every_shape(pair, side):
    near, far = ends(pair, pair.connect(), side)
    for sample in SAMPLES:
        near.send(sample)
    for sample in SAMPLES:
        far.expect(sample)


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_sizes_around_packet_borders(pair, side, kind):
    near, far = ends(pair, pair.connect(), side)
    for size in (1, 2, 1023, 1024, 1025, 1163, 1200, 1201, 4096, 16384, 65535):
        send_pattern(near, far, kind, size, 2)


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_largest_message(pair, side, kind):
    near, far = ends(pair, pair.connect(), side)
    size = largest(pair, near.peer, far.peer)
    assert size >= 65535
    send_pattern(near, far, kind, size, 3)


@pytest.mark.subject_needs("refusal")
def test_larger_than_the_peer_takes_is_refused_and_harms_nothing(pair):
    near, far = ends(pair, pair.connect(), "subject")
    remote = [description["sdp"] for target, description in pair.descriptions if target is pair.subject][-1]
    found = re.search(r"^a=max-message-size:(\d+)", remote, re.MULTILINE)
    limit = int(found[1]) if found else 65536
    with pytest.raises(AgentError) as refused:
        near.request("sendPattern", kind="binary", size=limit + 1, count=1)
    assert refused.value.name in ("TypeError", "OperationError")
    near.send("still open")
    far.expect("still open")


def test_ten_thousand_small_messages_in_order(pair, side):
    near, far = ends(pair, pair.connect(), side)
    send_pattern(near, far, "binary" if side == "subject" else "text", 32, 10_000, deadline=120)


def test_both_directions_at_once(pair):
    near, far = ends(pair, pair.connect(), "subject")
    count, size = 500, 1000
    near.request("receive", mode="tally", count=count)
    far.request("receive", mode="tally", count=count)
    sent = [(end, end.post_pattern("binary", size, count)) for end in (near, far)]
    for end in (near, far):
        event = end.take("tally", 60)
        assert {key: event[key] for key in ("count", "bytes", "crc32")} == expected_tally("binary", size, count)
    for end, number in sent:
        end.peer.agent.reply(number, "sendPattern")


def test_four_mebibytes_with_back_pressure(pair, side):
    near, far = ends(pair, pair.connect(), side)
    send_pattern(near, far, "binary", 16384, 256, deadline=90)


def test_echo_by_the_peer_and_by_the_subject(pair, side):
    near, far = ends(pair, pair.connect(), side)
    far.request("receive", mode="echo")
    for sample in SAMPLES:
        near.send(sample)
    for sample in SAMPLES:
        near.expect(sample)
