"""Sound and pictures of every peer, through the Swift stack and back, whoever offers."""

import pytest
from harness import OWN_COLOUR, is_near, wait_until


def wait_for_media(peer, kind: str, count: int, is_right) -> dict:
    """Waits until so many frames came, and the newest is right; one from the beginning may be shown still."""
    wait_until(lambda: peer.request("getMedia", kind=kind)["frames"] >= count, f"{count} frames of {kind} back at {peer}")
    seen = {}

    def is_seen() -> bool:
        seen.clear()
        seen.update(peer.request("getMedia", kind=kind, deep=True))
        return is_right(seen)

    wait_until(is_seen, f"right {kind} back at {peer}", describe=lambda: seen)
    return seen


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
    # Pion looks at bytes only.
    sound = wait_for_media(pair.peer, "audio", 50, lambda seen: abs((seen.get("pitch", 440) or 0) - 440) < 15)
    picture = wait_for_media(pair.peer, "video", 20, lambda seen: is_near(seen.get("colour", OWN_COLOUR), OWN_COLOUR))
    assert not sound.get("altered") and not picture.get("altered"), (sound, picture)
