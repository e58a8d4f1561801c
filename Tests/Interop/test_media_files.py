"""media-send and media-record with a real browser; FFmpeg's own programs make the files and judge them."""

import json
import os
import shutil
import subprocess
import sys
import time

import browser as chromium
import pytest
from harness import DEADLINE, FEED_COLOUR, OWN_COLOUR, PEERS, bad_network, is_near, swift_binary
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_echo import Server
from test_media import needs_namespaces, run_in

pytestmark = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not installed"
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = chromium.start(
        str(tmp_path_factory.mktemp("files")), *chromium.MEDIA_ARGUMENTS, "--allow-loopback-in-peer-connection"
    )
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


def make(path, *codecs: str) -> str:
    """Ten seconds of a colour and a tone, or of one of them."""
    inputs = []
    if "-an" not in codecs:
        inputs += ["-f", "lavfi", "-i", "sine=440:duration=10"]
    if "-vn" not in codecs:
        inputs += ["-f", "lavfi", "-i", "color=c=0xC82828:size=320x240:rate=30:duration=10"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, *codecs, "-y", str(path)], check=True)
    return str(path)


H264 = ("-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "30", "-bf", "0")


@pytest.mark.parametrize(
    ("names", "codec"),
    [(["a.webm"], "video/VP8"), (["a.mp4"], "video/H264"), (["a.ivf", "a.ogg"], "video/VP9"), (["a.h264"], "video/H264")],
    ids=["webm", "mp4", "ivf+ogg", "annexb"],
)
def test_a_file_is_seen_and_heard_in_the_browser(driver, tmp_path, names, codec):
    encoders = {
        "a.webm": ("-c:v", "libvpx", "-g", "30", "-c:a", "libopus"),
        "a.mp4": (*H264, "-c:a", "libopus"),
        "a.ivf": ("-an", "-c:v", "libvpx-vp9", "-g", "30"),
        "a.ogg": ("-vn", "-c:a", "libopus"),
        "a.h264": ("-an", *H264),
    }
    files = [make(tmp_path / name, *encoders[name]) for name in names]
    server = Server([*swift_binary("media-send"), *files, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
    seen = run_in(driver, server.url, "await watchCall(given[0])", {"shown": OWN_COLOUR})
    assert server.stop() == 0
    assert seen["connected"] and seen["playing"], seen
    assert seen["codec"] == codec and is_near(seen["colour"], OWN_COLOUR), seen
    assert seen["framesDecoded"] > 60, seen
    if names != ["a.h264"]:
        assert abs(seen["pitch"] - 440) < 12, seen


def probe(path) -> dict[str, dict]:
    """Of each kind of stream the codec, the first and the last time, and the number of packets."""
    text = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "packet=codec_type,pts_time:stream=codec_type,codec_name", "-of",
         "json", str(path)],
        check=True, capture_output=True, text=True,
    ).stdout
    report = json.loads(text)
    streams = {}
    for stream in report["streams"]:
        times = [float(p["pts_time"]) for p in report["packets"] if p["codec_type"] == stream["codec_type"]]
        streams[stream["codec_type"]] = {
            "codec": stream["codec_name"], "first": min(times), "last": max(times), "count": len(times)
        }
    return streams


def wait_for_recording(server: Server) -> None:
    """Waits until the program says that the file is complete."""
    until = time.monotonic() + DEADLINE
    while not any(line.startswith("Recorded") for line in server.lines):
        assert time.monotonic() < until, server.lines
        time.sleep(0.05)


def check_recording(path, seen: dict) -> bool:
    """Checks a file against what a browser's `sendCall` tells, and gives whether it has nearly every frame."""
    streams = probe(path)
    print(streams, seen)
    assert seen["connected"], seen
    video, audio = streams["video"], streams["audio"]
    # When a browser's first and last picture leaves it differs with the machine's load; test_media_timing.py looks at how they go together.
    assert abs(video["first"] - audio["first"]) < 3 and abs(video["last"] - audio["last"]) < 1, streams
    for stream in (video, audio):
        assert -3 < stream["last"] - stream["first"] - seen["lasted"] < 1.5, (streams, seen)
    subprocess.run(["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"], check=True)
    return video["count"] > 0.95 * seen["framesSent"] - 20


@pytest.mark.parametrize("name", ["a.webm", "a.mp4", "a.mkv"])
def test_what_a_browser_sends_is_recorded(driver, tmp_path, name):
    path = tmp_path / name
    server = Server([*swift_binary("media-record"), str(path), "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
    seen = run_in(driver, server.url, "await sendCall({seconds: 6})")
    wait_for_recording(server)
    assert server.stop() == 0
    assert check_recording(path, seen), seen


def colours(path) -> list[list[int]]:
    """The colours of a file's pictures, one after another, decoded; what is the same for long enough is one."""
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-vf", "crop=160:120:80:60,scale=1:1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
        check=True, capture_output=True,
    ).stdout
    found = []
    for pixel in (list(raw[index:index + 3]) for index in range(0, len(raw), 3)):
        if found and is_near(pixel, found[-1][0]):
            found[-1][1] += 1
        else:
            found.append([pixel, 1])
    return [colour for colour, count in found if count > 10]


@pytest.mark.parametrize("name", ["a.webm", "a.mp4"])
def test_what_is_recorded_decodes_to_what_was_shown(driver, tmp_path, name):
    shown = [OWN_COLOUR, (30, 200, 30), FEED_COLOUR]
    path = tmp_path / name
    server = Server([*swift_binary("media-record"), str(path), "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
    seen = run_in(driver, server.url, "await sendCall(given[0])", {"seconds": 4.5, "colours": shown})
    wait_for_recording(server)
    assert server.stop() == 0
    assert seen["connected"], seen
    decoded = colours(path)
    assert len(decoded) == 3 and all(map(is_near, decoded, shown)), decoded


def record_call(near, far, path, expression: str, seconds: float) -> subprocess.CompletedProcess:
    """A browser at one end of a network sends what `expression` says, media-record at the other writes it."""
    server = Server(
        [*far, *swift_binary("media-record"), str(path), "--http", "10.77.0.2:0", "--udp", "10.77.0.2:0"]
    )
    call = subprocess.run(
        [*near, sys.executable, str(PEERS / "browser_call.py"), server.url, expression, str(path.parent / "profile")],
        capture_output=True, text=True, timeout=seconds + 240,
    )
    wait_for_recording(server)
    assert server.stop() == 0
    return call


@needs_namespaces
@pytest.mark.timeout(900)
def test_a_recording_over_a_bad_network_is_whole_and_in_step(tmp_path):
    seconds = float(os.environ.get("INTEROP_LONG", "60"))
    # A machine that stands still for some seconds costs many frames at once.
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with bad_network("record", "delay=100", "loss=5") as (near, far):
            call = record_call(near, far, folder / "a.webm", f"await sendCall({{seconds: {seconds}}})", seconds)
        assert call.returncode == 0, call.stderr
        seen = json.loads(call.stdout)["value"]
        if check_recording(folder / "a.webm", seen):
            return
    pytest.fail(f"too many frames are missing: {seen}")


def test_the_page_plays_a_file(driver, tmp_path):
    path = make(tmp_path / "a.webm", "-c:v", "libvpx", "-g", "30", "-c:a", "libopus")
    server = Server([*swift_binary("media-send"), path, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
    driver.get(server.url)
    driver.find_element(By.ID, "button").click()
    video = driver.find_element(By.ID, "video")
    WebDriverWait(driver, DEADLINE).until(lambda _: video.get_property("videoWidth") == 320)
    driver.get("about:blank")
    assert server.stop() == 0


def test_the_page_records(driver, tmp_path):
    path = tmp_path / "a.webm"
    server = Server([*swift_binary("media-record"), str(path), "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
    driver.get(server.url)
    button, state = driver.find_element(By.ID, "button"), driver.find_element(By.ID, "state")
    button.click()
    WebDriverWait(driver, DEADLINE).until(lambda _: state.text == "connected")
    WebDriverWait(driver, DEADLINE).until(lambda _: path.exists() and path.stat().st_size > 0)
    button.click()
    wait_for_recording(server)
    assert server.stop() == 0
    assert set(probe(path)) == {"audio", "video"}
