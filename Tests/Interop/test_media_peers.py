"""Sound and pictures of every peer, through the Swift stack and back, whoever offers."""

import time

import pytest
from harness import DEADLINE, Deadline


def wait_for_media(peer, kind: str, count: int) -> dict:
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        seen = peer.request("getMedia", kind=kind)
        if seen["frames"] >= count:
            return peer.request("getMedia", kind=kind, deep=True)
        time.sleep(0.1)
    raise Deadline(f"{peer} got {seen} of its {kind} back")


@pytest.mark.subject_needs("trickle")
def test_tracks_come_back(pair):
    """The peer sends a tone and a colour; the subject returns both."""
    for kind in ("audio", "video"):
        pair.peer.request("sendMedia", kind=kind)
        if pair.offerer is pair.subject:
            pair.subject.request("addTransceiver", kind=kind, direction="sendrecv")
    pair.subject.request("echoMedia")
    pair.negotiate()
    pair.wait_connected()
    sound = wait_for_media(pair.peer, "audio", 50)
    picture = wait_for_media(pair.peer, "video", 20)
    assert abs((sound.get("pitch") or 440) - 440) < 15, sound
    assert all(abs(a - b) <= 50 for a, b in zip(picture.get("colour") or (), (200, 40, 40))), picture
    assert not sound.get("altered") and not picture.get("altered"), (sound, picture)
