"""Media with a real browser: its pictures and its sound through the Swift stack and back, looked at and listened to."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import browser as chromium
import pytest
from harness import DEADLINE, FEED_COLOUR, OWN_COLOUR, PEERS, bad_network, dropped, is_near, swift_binary
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_echo import Server, serve

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


def run_in(driver, url: str, expression: str, *arguments):
    """Opens a page and evaluates an asynchronous expression in it, with media_page.js."""
    driver.get(url)
    outcome = driver.execute_async_script(
        PAGE + "\nconst done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);"
        f"(async () => ({expression}))().then((value) => done({{value}}), (error) => done({{error: String(error.stack)}}));",
        *arguments,
    )
    if "error" in outcome:
        raise JavascriptException(outcome["error"])
    return outcome["value"]


@pytest.fixture
def page(driver, server):
    return lambda expression, *arguments: run_in(driver, server.url, expression, *arguments)


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
    before = dropped()
    seen = page("await echoCall(given[0])", {"mimeType": mime_type, "parameters": parameters})
    assert not seen.get("unsupported"), f"this Chromium has no {mime_type}"
    print(json.dumps(seen))
    assert seen["connected"] and seen["playing"], seen
    assert seen["codec"].lower() == mime_type.lower()
    assert is_near(seen["first"], OWN_COLOUR) and is_near(seen["second"], FEED_COLOUR), seen
    assert abs(seen["pitch"] - 440) < 12, seen
    assert seen["framesDecoded"] > 0.9 * seen["framesSent"] - 15, seen
    assert seen["packetsLost"] <= dropped() - before and seen["roundTripTime"] < 0.5, seen


def test_what_simulcast_sends_arrives_in_three_layers(page):
    seen = page("await simulcastCall()")
    print(json.dumps({key: value for key, value in seen.items() if key != "sdp"}))
    assert "a=simulcast:recv q;h;f" in seen["sdp"], seen["sdp"]
    assert {layer["rid"] for layer in seen["layers"] if layer["frames"] > 20} == {"q", "h", "f"}, seen["layers"]
    # The echo returns the smallest.
    assert seen["size"] == [320, 180], seen["size"]


def test_the_page_shows_what_comes_back_of_camera_and_microphone(driver, server):
    driver.get(server.url)
    driver.find_element(By.ID, "with-media").click()
    driver.find_element(By.ID, "connect").click()
    video = driver.find_element(By.ID, "echo-video")
    WebDriverWait(driver, DEADLINE).until(lambda _: video.get_property("videoWidth") > 0)
    before = video.get_property("currentTime")
    WebDriverWait(driver, DEADLINE).until(lambda _: video.get_property("currentTime") > before + 0.5)
    driver.find_element(By.ID, "connect").click()


def test_tracks_are_replaced_taken_away_and_given_back(page):
    outcome = page("await changingCall()")
    seen = outcome["seen"]
    assert is_near(seen["first"], OWN_COLOUR) and is_near(seen["replaced"], (30, 200, 30)), seen
    assert seen["withoutTrack"] <= 2 and seen["again"] > 15, seen
    assert outcome["events"][:2] == ["track 0", "unmute"], outcome["events"]


needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("gcc") is None,
    reason="making a network namespace takes root, ip and gcc",
)


@needs_namespaces
@pytest.mark.timeout(900)
def test_nearly_every_frame_survives_five_percent_loss_and_100_ms(tmp_path):
    # A machine that stands still for some seconds costs many frames at once; without a stack that repairs no call is whole.
    for attempt in range(3):
        seen = long_call(tmp_path / str(attempt), float(os.environ.get("INTEROP_LONG", "60")))
        assert seen["connected"], seen
        if seen["framesDecoded"] > 0.95 * seen["framesSent"]:
            return
    pytest.fail(f"too many frames are missing: {seen}")


def long_call(profile: pathlib.Path, seconds: float) -> dict:
    """A browser's call to the echo server over a bad network; gives what the browser counted."""
    with bad_network("media", "delay=100", "loss=5") as (near, far):
        server = Server([*far, *swift_binary("echo"), "serve", "--http", "10.77.0.2:0", "--udp", "10.77.0.2:0"])
        call = subprocess.run(
            [*near, sys.executable, str(PEERS / "browser_call.py"), server.url,
             f"await longCall({{seconds: {seconds}}})", str(profile), "--unsafely-treat-insecure-origin-as-secure="
             + server.url.rstrip("/")],
            capture_output=True, text=True, timeout=seconds + 240,
        )
        assert server.stop() == 0
    assert call.returncode == 0, call.stderr
    outcome = json.loads(call.stdout)
    print(outcome)
    return outcome["value"]
