"""What happens to media in the middle of a call: offers that cross, directions, sections that are used again, silence."""

import pytest
from harness import FEED_COLOUR, OWN_COLOUR, check_colour, chosen, forward, frames, mid_of, wait_for_more, wait_until
from test_media_negotiation import sections

pytestmark = [pytest.mark.needs("mediaChanges"), pytest.mark.subject_needs("forwarding")]


def check_flow(pair, feed, mid: str, subject: bool, peer: bool) -> None:
    """Whom media reaches, and whom not, while the feed goes on: it is the clock."""
    receiving = {pair.subject: subject, pair.peer: peer}
    clock = mid_of(feed.answerer, "audio")
    for each, receives in receiving.items():
        if receives:
            wait_for_more(each, mid)
    silent = [each for each, receives in receiving.items() if not receives]

    def is_quiet() -> bool:
        before = [frames(each, mid) for each in silent]
        wait_for_more(feed.answerer, clock, 25)
        return before == [frames(each, mid) for each in silent]

    # What was under way may come late.
    wait_until(is_quiet, f"end of what comes of {mid} at {silent}")


def begin(pair, feed) -> str:
    """A call whose subject sends what it is fed and whose peer sends a picture; gives the section."""
    forward(feed, "video", pair.subject)
    pair.peer.request("sendMedia", kind="video")
    pair.negotiate()
    pair.wait_connected()
    mid = mid_of(pair.subject, "video")
    check_flow(pair, feed, mid, subject=True, peer=True)
    check_colour(pair.peer, mid, FEED_COLOUR)
    return mid


# A browser that gives way does not forget its header extensions' numbers; with another kind in the section it refuses the offer.
@pytest.mark.parametrize(
    ("side", "kinds"),
    [("subject", ("video", "video")), ("peer", ("video", "video")), ("subject", ("audio", "video"))],
    ids=["subject-same-kind", "peer-same-kind", "subject-two-kinds"],
)
@pytest.mark.parametrize("connected", [True, False], ids=["later", "at-once"])
def test_offers_that_cross(pair, feed, side, kinds, connected):
    """Both add a track at the same time, and each may be the one that gives way."""
    if connected:
        pair.connect()
        pair.wait_connected()
        for peer in (pair.subject, pair.peer):
            while peer.agent.pending(peer.name, "negotiationneeded"):
                peer.take("negotiationneeded")
    forward(feed, kinds[0], pair.subject)
    pair.peer.request("sendMedia", kind=kinds[1])
    for peer in (pair.subject, pair.peer):
        peer.take("negotiationneeded")
    polite = chosen(pair, side)
    pair.negotiate_with_glare(polite)
    if kinds[0] != kinds[1]:
        # The other's offer had no room for this track.
        polite.take("negotiationneeded")
        pair.negotiate(polite)
    pair.wait_connected()
    media = [each for each in sections(pair.subject.request("getLocalDescription")) if each[0] != "application"]
    assert len(media) == len(set(kinds)), media
    wait_for_more(pair.subject, mid_of(pair.subject, kinds[1]))
    received = mid_of(pair.peer, kinds[0])
    wait_for_more(pair.peer, received)
    if kinds[0] == "video":
        check_colour(pair.peer, received, FEED_COLOUR)
    else:
        assert abs(pair.peer.request("getMedia", mid=received, deep=True)["pitch"] - 440) < 15


def test_directions_change_and_come_back(pair, feed, side):
    mid = begin(pair, feed)
    changing = chosen(pair, side)
    other = pair.other(changing)
    for direction in ("recvonly", "inactive", "sendrecv"):
        changing.request("setDirection", mid=mid, direction=direction)
        pair.negotiate(changing)
        reached = {other: direction == "sendrecv", changing: direction != "inactive"}
        if direction == "sendrecv":
            for each in reached:
                each.take("unmute", mid=mid)
        else:
            (other if direction == "recvonly" else changing).take("mute", mid=mid)
        check_flow(pair, feed, mid, subject=reached[pair.subject], peer=reached[pair.peer])
    check_colour(pair.peer, mid, FEED_COLOUR)


@pytest.mark.parametrize("alone", [False, True], ids=["beside-another", "alone"])
def test_a_section_is_used_again(pair, feed, side, alone):
    """Alone, its end is also that of the transport, and its second use begins another one."""
    if not alone:
        pair.offerer.request("addTransceiver", kind="audio", direction="sendrecv")
    first = begin(pair, feed)
    stopping = chosen(pair, side)
    stopping.request("stopTransceiver", mid=first)
    pair.negotiate(stopping)
    pair.other(stopping).take("ended")
    kinds = ["video"] if alone else ["audio", "video"]
    described = sections(pair.subject.request("getLocalDescription"))
    assert [section[0] for section in described] == kinds and described[-1][1] == "0", described

    forward(feed, "video", pair.subject)
    pair.peer.request("sendMedia", kind="video", colour=(30, 200, 30))
    for offer in pair.negotiate(stopping):
        assert [section[0] for section in sections(offer)] == kinds, offer["sdp"]
        assert all(section[1] != "0" for section in sections(offer)), offer["sdp"]
    second = mid_of(pair.subject, "video")
    assert second != first and mid_of(pair.peer, "video") == second
    check_flow(pair, feed, second, subject=True, peer=True)
    check_colour(pair.peer, second, FEED_COLOUR)


def test_a_track_is_taken_away_and_given_back(pair, feed, side):
    mid = begin(pair, feed)
    changing = chosen(pair, side)
    other = pair.other(changing)
    changing.request("setTrack", mid=mid, present=False)
    check_flow(pair, feed, mid, subject=other is pair.peer, peer=other is pair.subject)
    changing.request("setTrack", mid=mid, present=True)
    check_flow(pair, feed, mid, subject=True, peer=True)
    check_colour(pair.peer, mid, FEED_COLOUR)


def test_a_track_is_disabled_and_enabled(pair, feed):
    mid = begin(pair, feed)
    # Ours passes on nothing: it has no encoder that could make black pictures.
    pair.subject.request("setTrack", mid=mid, enabled=False)
    check_flow(pair, feed, mid, subject=True, peer=False)
    pair.subject.request("setTrack", mid=mid, enabled=True)
    check_flow(pair, feed, mid, subject=True, peer=True)
    check_colour(pair.peer, mid, FEED_COLOUR)


def test_a_browser_that_disables_its_track_sends_black(pair):
    pair.peer.request("sendMedia", kind="video")
    if pair.offerer is pair.subject:
        pair.subject.request("addTransceiver", kind="video", direction="sendrecv")
    pair.subject.request("echoMedia")
    pair.negotiate()
    pair.wait_connected()
    mid = mid_of(pair.peer, "video")
    for enabled, colour in ((True, OWN_COLOUR), (False, (0, 0, 0)), (True, OWN_COLOUR)):
        pair.peer.request("setTrack", mid=mid, enabled=enabled)
        check_colour(pair.peer, mid, colour)
