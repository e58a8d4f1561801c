"""Recordings, held against their source: when a picture flashes and when the tone beeps, by FFmpeg's own decoders."""

import array
import json
import os
import re
import shutil
import statistics
import subprocess

import pytest
from harness import bad_network, swift_binary
from test_echo import Server
from test_media import needs_namespaces
from test_media_files import pytestmark, record_call, wait_for_recording  # noqa: F401

# A flash of 100 ms and a beep at the same time, every second, at a sixth of it so that no key frame falls together with it.
PERIOD = 1.0
LENGTH = 0.1
RATE = 48000


def make_source(path, seconds: float, *codecs: str) -> None:
    now = f"lt(mod({{}}+{PERIOD - PERIOD / 6},{PERIOD}),{LENGTH})"
    picture = f"color=c=black:size=160x120:rate=50:duration={seconds},geq=lum='if({now.format('T')},235,16)':cb=128:cr=128"
    tone = f"aevalsrc='if({now.format('t')},0.5*sin(2*PI*1000*t),0)':s={RATE}:d={seconds}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, *codecs, "-y", str(path)], check=True
    )


def flashes(path) -> list[float]:
    """When the picture turns white, by the time stamps of the frames."""
    run = subprocess.run(
        ["ffmpeg", "-v", "info", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough", "-vf", "scale=2:2,showinfo", "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    )
    found, white = [], False
    for line in run.stderr.splitlines():
        if seen := re.search(r"pts_time:([\d.]+).*mean:\[(\d+)", line):
            was, white = white, int(seen[2]) > 126
            if white and not was:
                found.append(float(seen[1]))
    return found


def beeps(path) -> list[float]:
    """When the tone begins; what is missing in the file is silence."""
    sound = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", "-af", "aresample=async=1:min_hard_comp=0.01:first_pts=0", "-ac", "1",
         "-ar", str(RATE), "-f", "s16le", "-"],
        check=True, capture_output=True,
    ).stdout
    samples = array.array("h", sound)
    step = RATE // 1000
    found, last = [], -1.0
    for index in range(0, len(samples), step):
        if max(map(abs, samples[index:index + step]), default=0) > 3000:
            time = index / RATE
            # The pauses within a beep are those of lost packets.
            if time - last > PERIOD / 2:
                found.append(time)
            last = time
    return found


def offsets(path) -> list[tuple[float, float]]:
    """By how much each flash is later than the beep that goes with it, with its time."""
    heard = beeps(path)
    pairs = []
    for flash in flashes(path):
        beep = min(heard, key=lambda time: abs(time - flash))
        # One of the two was lost, or only its end came through.
        if abs(beep - flash) < PERIOD / 2:
            pairs.append((flash, flash - beep))
    return pairs


def end_of(path) -> float:
    """When the last packet ends; ffprobe must find nothing wrong, and give the file this length."""
    run = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=start_time:packet=pts_time,duration_time", "-of", "json",
         str(path)],
        check=True, capture_output=True, text=True,
    )
    assert not run.stderr, run.stderr
    report = json.loads(run.stdout)
    end = max(float(each["pts_time"]) + float(each.get("duration_time", 0)) for each in report["packets"])
    # Of fragmented MP4 ffprobe counts a track's length from zero, and that from the track's beginning.
    late = max(float(each["start_time"]) for each in report["streams"]) if str(path).endswith("mp4") else 0
    assert -0.04 <= float(report["format"]["duration"]) - end <= late + 0.04, (report["format"], end)
    return end


def median(pairs) -> float:
    return statistics.median(offset for _, offset in pairs)


CODECS = {
    "a.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "400k", "-g", "25", "-c:a", "libopus"),
    "a.mp4": ("-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "25", "-bf", "0", "-b:v", "400k", "-c:a", "libopus"),
}


def offsets_at_both_ends(path, seconds: float) -> tuple[float, float]:
    """By how much flashes are later than their beeps in the first and in the last third."""
    pairs = offsets(path)
    span = seconds / 3
    first, last = pairs[0][0], pairs[-1][0]
    beginning = [pair for pair in pairs if pair[0] < first + span]
    end = [pair for pair in pairs if pair[0] > last - span]
    assert min(len(beginning), len(end)) > span / PERIOD / 2, pairs
    print(f"{len(pairs)} flashes; offset {median(beginning) * 1000:.1f} ms, at the end {median(end) * 1000:.1f} ms")
    return median(beginning), median(end)


@needs_namespaces
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CODECS)
def test_sound_and_pictures_of_a_recording_stay_in_step_through_loss(tmp_path, name):
    seconds = float(os.environ.get("INTEROP_LONG", "60"))
    source, path = tmp_path / f"source-{name}", tmp_path / name
    make_source(source, seconds, *CODECS[name])
    with bad_network("step", "delay=50", "loss=5") as (near, far):
        server = Server(
            [*far, *swift_binary("media-record"), str(path), "--http", "10.77.0.2:0", "--udp", "10.77.0.2:0"]
        )
        sent = subprocess.run(
            [*near, *swift_binary("media-send"), str(source), "--to", server.url],
            capture_output=True, text=True, timeout=seconds + 120,
        )
        wait_for_recording(server)
        assert server.stop() == 0
    assert sent.returncode == 0, sent.stderr
    check_step(path, source, seconds)


def check_step(path, source, seconds: float) -> None:
    expected = median(offsets(source))
    for found in offsets_at_both_ends(path, seconds):
        assert abs(found - expected) <= 0.04, (found, expected, offsets(path))
    times = flashes(path)
    first, last = times[0], times[-1]
    # The clock neither runs fast nor slow: whole periods lie between the flashes.
    drift = (last - first) - round((last - first) / PERIOD) * PERIOD
    assert abs(drift) <= 0.04, (first, last)
    # It ends where the source does, so much behind the last flash.
    missing = (end_of(path) - last) - (end_of(source) - flashes(source)[-1])
    assert abs(missing - round(missing / PERIOD) * PERIOD) <= 0.04, (end_of(path), last)


@needs_namespaces
@pytest.mark.timeout(900)
def test_a_browser_s_recording_stays_in_step_through_loss(tmp_path):
    """How long a browser takes to take in a canvas and a tone is its own affair, and differs with the machine's load; it must not grow."""
    seconds = float(os.environ.get("INTEROP_LONG", "60"))
    # The load may change in the middle.
    for attempt in range(3):
        path = tmp_path / str(attempt) / "a.webm"
        path.parent.mkdir()
        with bad_network("beep", "delay=50", "loss=5") as (near, far):
            call = record_call(near, far, path, f"await flashCall({{seconds: {seconds}}})", seconds)
        assert call.returncode == 0, call.stderr
        end_of(path)
        beginning, end = offsets_at_both_ends(path, seconds)
        if max(abs(beginning), abs(end)) < 0.4 and abs(end - beginning) <= 0.12:
            return
    pytest.fail(f"from {beginning} s it went to {end} s: {offsets(path)}")
