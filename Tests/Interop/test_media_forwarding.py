"""Media of a browser that the subject passes on to others, packet by packet: one to many, and in several encodings."""

import pytest
from conftest import SUBJECT
from harness import DEADLINE, FEED_COLOUR, Pair, check_colour, forward, mid_of, wait_for_more, wait_until

pytestmark = pytest.mark.skipif(SUBJECT != "swift", reason="only the Swift agent forwards")
RIDS = ["q", "h", "f"]


def key_frame_requests(feed) -> int:
    return feed.offerer.request("getSent", mid=mid_of(feed.offerer, "video"))["keyFrameRequests"]


def test_a_browser_sees_and_hears_another_through_us(feed, agents):
    """Two viewers, one after the other: each needs a key frame, which only the first browser can make."""
    viewers = []
    try:
        for _ in range(2):
            before = key_frame_requests(feed)
            viewer = Pair(agents.get(SUBJECT), agents.get("chromium", second=True))
            viewers.append(viewer)
            for kind in ("audio", "video"):
                forward(feed, kind, viewer.offerer)
            viewer.negotiate()
            viewer.wait_connected()
            check_colour(viewer.answerer, mid_of(viewer.answerer, "video"), FEED_COLOUR)
            sound = mid_of(viewer.answerer, "audio")
            wait_for_more(viewer.answerer, sound, 50)
            assert abs(viewer.answerer.request("getMedia", mid=sound, deep=True)["pitch"] - 440) < 15
            wait_until(lambda: key_frame_requests(feed) > before, "request for a key frame at the first browser")
        for viewer in viewers:
            wait_for_more(viewer.answerer, mid_of(viewer.answerer, "video"))
    finally:
        for viewer in viewers:
            viewer.close()


@pytest.fixture
def simulcast(agents):
    """A browser that sends the subject a picture in three sizes."""
    pair = Pair(agents.get("chromium"), agents.get(SUBJECT))
    pair.offerer.request("sendMedia", kind="video", size=[1280, 720], rids=RIDS)
    pair.negotiate()
    pair.wait_connected()
    yield pair
    pair.close()


def layers(peer) -> list[dict]:
    return peer.request("getMedia", kind="video")["layers"]


def sizes(peer) -> list[tuple[int, int]]:
    return [(each["width"], each["height"]) for each in layers(peer)]


def is_doubling(sizes: list[tuple[int, int]]) -> bool:
    """Whether each layer is twice as large as the one before. A busy browser makes them all smaller by the same part."""
    return len(sizes) == 3 and all(
        small and large == 2 * small for one, next in zip(sizes, sizes[1:]) for small, large in zip(one, next)
    )


@pytest.mark.parametrize("kind", ["swift", "pion"])
def test_simulcast_is_passed_on_in_all_its_layers(simulcast, agents, kind):
    wait_until(
        lambda: len(found := layers(simulcast.answerer)) == 3 and all(each["frames"] > 5 for each in found),
        "frames of all three layers",
        deadline=2 * DEADLINE,
        describe=lambda: layers(simulcast.answerer),
    )
    pair = Pair(agents.get(SUBJECT), agents.get(kind, second=kind == SUBJECT))

    def both() -> tuple[list[dict], list[dict]]:
        return layers(simulcast.answerer), layers(pair.answerer)

    try:
        mid = mid_of(simulcast.answerer, "video")
        simulcast.answerer.request("forwardMedia", mid=mid, to=pair.offerer.name, rids=RIDS)
        offer, answer = pair.negotiate()
        assert "a=simulcast:send q;h;f" in offer["sdp"], offer["sdp"]
        for rid in RIDS:
            assert f"a=rid:{rid} recv" in answer["sdp"], answer["sdp"]
        pair.wait_connected()
        wait_until(
            lambda: len(found := layers(pair.answerer)) == 3 and all(each["frames"] > 15 for each in found),
            f"layers at {pair.answerer}",
            # A busy browser leaves out its largest layer for half a minute and more.
            deadline=2 * DEADLINE,
            describe=both,
        )
        if kind == "pion":
            seen = layers(pair.answerer)
            assert {each["rid"] for each in seen} == set(RIDS), seen
        else:
            wait_until(
                lambda: is_doubling(came := sizes(simulcast.answerer)) and sizes(pair.answerer) == came,
                "same sizes",
                describe=both,
            )
            assert all(each["keyFrames"] > 0 for each in layers(pair.answerer)), layers(pair.answerer)
    finally:
        pair.close()
