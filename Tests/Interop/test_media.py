"""Media with a real browser: its pictures and its sound through the Swift stack and back, looked at and listened to."""

import json
import pathlib

import browser as chromium
import pytest
from harness import PEERS
from selenium.common.exceptions import JavascriptException
from test_echo import serve

PAGE = pathlib.Path(PEERS / "media_page.js").read_text()


@pytest.fixture(scope="module")
def server():
    server = serve("--udp", "127.0.0.1:0")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = chromium.start(
        str(tmp_path_factory.mktemp("media")), *chromium.MEDIA_ARGUMENTS, "--allow-loopback-in-peer-connection"
    )
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture
def page(driver, server):
    driver.get(server.url)
    driver.execute_script(PAGE + "\nObject.assign(window, {echoCall, exchange, until, statistics, sleep, makePicture,"
                          " makeTone, show, colourOf, pitchOf, prefer});")

    def run(expression: str, *arguments):
        """Evaluates an asynchronous expression in the page."""
        script = (
            "const done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);"
            f"(async () => ({expression}))().then((value) => done({{value}}), (error) => done({{error: String(error.stack)}}));"
        )
        outcome = driver.execute_async_script(script, *arguments)
        if "error" in outcome:
            raise JavascriptException(outcome["error"])
        return outcome["value"]

    return run


def is_near(colour: list[int], wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= 40 for a, b in zip(colour, wanted))


@pytest.mark.parametrize(
    ("mime_type", "parameters"),
    [
        ("video/VP8", {}),
        ("video/VP9", {"profile-id": "0"}),
        ("video/H264", {"packetization-mode": "1"}),
        ("video/H264", {"packetization-mode": "0"}),
        ("video/AV1", {}),
    ],
    ids=["vp8", "vp9", "h264", "h264-single", "av1"],
)
def test_pictures_and_sound_come_back_as_they_went(page, mime_type, parameters):
    seen = page("await echoCall(given[0])", {"mimeType": mime_type, "parameters": parameters})
    assert not seen.get("unsupported"), f"this Chromium has no {mime_type}"
    print(json.dumps(seen))
    assert seen["connected"] and seen["playing"], seen
    assert seen["codec"].lower() == mime_type.lower()
    assert is_near(seen["first"], (200, 40, 40)) and is_near(seen["second"], (40, 60, 200)), seen
    assert abs(seen["pitch"] - 440) < 12, seen
    assert seen["framesDecoded"] > 0.9 * seen["framesSent"] - 15, seen
    assert seen["packetsLost"] == 0 and seen["roundTripTime"] < 0.5, seen
