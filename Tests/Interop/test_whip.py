"""WHIP and WHEP: browsers, aiortc and GStreamer at our server; our clients at a server of aiortc."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import browser as chromium
import pytest
from aiortc_whip import Client, Loop, WHIPServer
from harness import DEADLINE, PEERS, bad_network, is_near, swift_binary, wait_until
from test_echo import Server
from test_media import PAGE, needs_namespaces
from test_media_files import H264, make, probe

TOKEN = "open-sesame"
WHIP_PAGE = (PEERS / "whip_page.js").read_text()


@pytest.fixture(scope="module")
def loop():
    loop = Loop()
    yield loop
    loop.stop()


def serve(*options: str) -> Server:
    return Server([
        *swift_binary("whip-server"), "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--token", TOKEN, *options,
    ])


@pytest.fixture(params=["answers", "counter-offers"])
def server(request):
    server = serve(*(["--counter-offers"] if request.param == "counter-offers" else []))
    yield server
    assert server.stop() == 0


@pytest.fixture
def plain_server():
    server = serve("--ice-server", "turn:127.0.0.1:9?transport=udp,user,pass")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def drivers(tmp_path_factory):
    """Two browsers: a publisher's and a viewer's."""
    drivers = [
        chromium.start(
            str(tmp_path_factory.mktemp(name)), *chromium.MEDIA_ARGUMENTS, "--allow-loopback-in-peer-connection"
        )
        for name in ("publisher", "viewer")
    ]
    for driver in drivers:
        driver.set_script_timeout(120)
    yield drivers
    for driver in drivers:
        driver.quit()


def evaluate(driver, expression: str, *arguments):
    """Evaluates an asynchronous expression in the page that is open."""
    outcome = driver.execute_async_script(
        PAGE + WHIP_PAGE + "\nconst done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);"
        f"(async () => ({expression}))().then((value) => done({{value}}), (error) => done({{error: String(error.stack)}}));",
        *arguments,
    )
    assert "error" not in outcome, outcome["error"]
    return outcome["value"]


def watch(driver, name: str) -> None:
    """Begins to watch and waits for a picture; the server refuses that with 409 until it has the publisher, which may know first."""

    def begin() -> bool:
        try:
            assert evaluate(driver, "await watchPicture(given[0], '')", name), "no picture"
            return True
        except AssertionError as error:
            assert str(error).startswith("Error: 409 "), error
            return False

    wait_until(begin, "a publisher")


def received(driver) -> dict:
    return evaluate(driver, "await received()")


def wait_for_frames(driver, more: int = 30) -> dict:
    before = received(driver)
    return wait_until(
        lambda: (now := received(driver))["frames"] >= before["frames"] + more and now["sound"] > before["sound"] and now,
        f"{more} more frames",
    )


def request(url: str, method: str, headers: dict | None = None, body: str | None = None):
    """Status and headers of a request's response."""
    made = urllib.request.Request(url, method=method, headers=headers or {}, data=body.encode() if body else None)
    try:
        with urllib.request.urlopen(made, timeout=DEADLINE) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_a_browser_publishes_and_another_watches(server, drivers):
    publisher, viewer = drivers
    for driver in drivers:
        driver.get(server.url)
    assert evaluate(publisher, "await publishPicture('a stage', given[0])", TOKEN)
    watch(viewer, "a stage")
    assert wait_for_frames(viewer)["size"] == [320, 240]
    wait_until(lambda: is_near(received(viewer)["colour"], (200, 40, 40)), "the colour")
    publisher.execute_script("paint([40, 60, 200])")
    wait_until(lambda: is_near(received(viewer)["colour"], (40, 60, 200)), "the other colour")
    # Restarts of ICE in mid-call, on either side, by PATCH.
    for driver in (publisher, viewer, publisher):
        before = driver.execute_script("return current.tag")
        evaluate(driver, "await current.restart()")
        assert driver.execute_script("return current.tag") != before
        wait_for_frames(viewer)
        wait_until(lambda: driver.execute_script("return current.peer.connectionState") == "connected", "connection")
    # Stale conditions, as the browser's own requests would have them.
    resource = publisher.execute_script("return current.resource.href")
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/trickle-ice-sdpfrag"}
    assert request(resource, "PATCH", headers, "a=end-of-candidates\r\n")[0] == 428
    assert request(resource, "PATCH", {**headers, "If-Match": '"stale"'}, "a=end-of-candidates\r\n")[0] == 412
    assert request(resource, "DELETE")[0] == 401
    # The end of the publisher is the end for its viewers.
    evaluate(publisher, "await current.close()")
    assert request(resource, "DELETE", headers)[0] == 404
    wait_until(lambda: evaluate(viewer, "current.peer.connectionState") in ("disconnected", "failed", "closed"), "end of the viewer")


def test_a_camera_is_published_by_the_page(plain_server, drivers):
    publisher, viewer = drivers
    for driver in drivers:
        driver.get(plain_server.url)
    assert evaluate(publisher, "await publishCamera('camera', given[0])", TOKEN)
    links = publisher.execute_script("return current.servers")
    assert links == '<turn:127.0.0.1:9?transport=udp>; rel="ice-server"; username="user"; credential="pass"; credential-type="password"'
    watch(viewer, "camera")
    wait_for_frames(viewer)
    # A viewer who comes late needs a key frame.
    evaluate(viewer, "await current.close()")
    watch(viewer, "camera")
    wait_for_frames(viewer)
    for driver in drivers:
        driver.get("about:blank")


def test_a_page_of_another_origin_may_use_the_server(plain_server, drivers):
    """Preflights for every method and header, and the headers of responses that a page must read."""
    driver = drivers[0]
    driver.get(plain_server.url.replace("127.0.0.1", "localhost"))
    outcome = driver.execute_async_script(
        """const [url, done] = arguments;
        (async () => {
          const seen = {};
          for (const method of ["OPTIONS", "GET", "POST", "PATCH", "DELETE"]) {
            const path = method === "POST" || method === "OPTIONS" || method === "GET" ? "whip/x" : "whip/x/session/0";
            const response = await fetch(url + path, { method, headers: { "authorization": "Bearer open-sesame", "if-match": "*",
              "content-type": "application/trickle-ice-sdpfrag" } });
            seen[method] = [response.status, response.headers.get("link"), response.headers.get("accept-post")];
          }
          return seen;
        })().then(done, error => done(String(error)));""",
        plain_server.url,
    )
    assert {method: seen[0] for method, seen in outcome.items()} == {
        "OPTIONS": 200, "GET": 204, "POST": 415, "PATCH": 404, "DELETE": 404
    }, outcome
    assert "ice-server" in outcome["OPTIONS"][1] and outcome["OPTIONS"][2] == "application/sdp"
    driver.get("about:blank")


def test_the_server_speaks_tls(tmp_path, loop):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )
    server = serve("--tls-certificate", str(certificate), "--tls-key", str(key))
    assert server.url.startswith("https:")
    publisher = Client(server.url + "whip/tls", TOKEN, ssl.create_default_context(cafile=str(certificate)))
    loop.run(publisher.publish())
    assert loop.run(publisher.close()) == 200
    assert server.stop() == 0


def test_aiortc_publishes_and_watches(plain_server, loop):
    publisher = Client(plain_server.url + "whip/aiortc", TOKEN)
    loop.run(publisher.publish())
    assert publisher.response["ETag"] and "ice-server" in publisher.response["Link"]

    def begin():
        client = Client(plain_server.url + "whep/aiortc")
        try:
            loop.run(client.watch())
            return client
        except AssertionError as error:
            # Nobody publishes until the publisher is connected.
            assert error.args[0][0] == 409, error
            loop.run(client.peer.close())
            return None

    viewer = wait_until(begin, "a publisher")
    wait_until(lambda: viewer.counter.frames["video"] > 30 and viewer.counter.frames["audio"] > 50, "frames by aiortc")
    assert viewer.counter.changes > 0 and viewer.counter.size == (640, 480)
    assert loop.run(viewer.close()) == 200
    assert loop.run(publisher.close()) == 200


def gstreamer_python() -> str | None:
    code = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst; Gst.init(None); assert Gst.ElementFactory.find('webrtcbin')"
    for python in ("/usr/bin/python3", sys.executable):
        if subprocess.run([python, "-c", code], capture_output=True).returncode == 0:
            return python
    return None


@needs_namespaces
@pytest.mark.parametrize("codec", ["VP8", "VP9"])
def test_gstreamer_publishes(tmp_path, codec):
    """On a network of two hosts: webrtcbin has no candidates on loopback."""
    python = gstreamer_python()
    assert python, "GStreamer's webrtcbin is missing: run Scripts/install-dependencies.sh test"
    recording = tmp_path / "a.webm"
    with bad_network("whip") as (near, far):
        server = Server([
            *far, *swift_binary("whip-server"), "--http", "10.77.0.2:0", "--udp", "10.77.0.2:0", "--token", TOKEN
        ])
        publisher = subprocess.Popen(
            [*near, python, str(PEERS / "gstreamer_whip.py"), server.url + "whip/gst", TOKEN, codec],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        recorder = subprocess.Popen(
            [*near, *swift_binary("media-record"), str(recording), "--whep", server.url + "whep/gst"],
            stdout=subprocess.PIPE, text=True,
        )
        try:
            assert recorder.stdout.readline().startswith("Playing")
            wait_until(lambda: recording.exists() and recording.stat().st_size > 30_000, "a recording")
        finally:
            output, _ = publisher.communicate(timeout=DEADLINE)
        # The recording ends with its publisher.
        recorded, _ = recorder.communicate(timeout=DEADLINE)
        assert server.stop() == 0
    lines = output.split("\n")
    assert lines[0] == "POST 201" and "PATCH 204" in lines and lines[-2] == "DELETE 200", lines
    assert "Recorded" in recorded, recorded
    streams = probe(recording)
    assert streams["video"]["codec"] == codec.lower() and streams["audio"]["codec"] == "opus", streams


# Our clients


@pytest.fixture
def aiortc_server(loop):
    server = WHIPServer()
    loop.run(server.start())
    yield server
    loop.run(server.stop())


def publish(path, url: str, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*swift_binary("media-send"), path, "--whip", url, *options], capture_output=True, text=True, timeout=DEADLINE * 4
    )


@pytest.mark.parametrize("endpoint", ["/whip", "/moved", "/busy", "/secret", "/plain"])
def test_our_client_publishes_to_a_server_of_aiortc(aiortc_server, tmp_path, endpoint):
    path = make(tmp_path / "a.webm", "-t", "4", "-c:v", "libvpx", "-g", "30", "-c:a", "libopus")
    begun = time.monotonic()
    done = publish(path, aiortc_server.url + endpoint, "--token", "sesame")
    assert done.returncode == 0, done
    counter, log = aiortc_server.counter, aiortc_server.log
    assert counter.frames["video"] > 60 and counter.frames["audio"] > 100 and counter.size == (320, 240), counter.frames
    statuses = [(method, status) for method, _, status in log]
    assert ("POST", 201) in statuses and statuses[-1] == ("DELETE", 200), log
    assert not aiortc_server.sessions
    match endpoint:
        case "/moved":
            assert statuses[0] == ("POST", 307) and log[1][1] == "/whip", log
        case "/busy":
            assert [status for method, status in statuses if method == "POST"] == [503, 503, 201], log
            assert time.monotonic() - begun > 2
        case "/plain":
            assert ("PATCH", 405) in statuses, log
        case _:
            assert ("PATCH", 204) in statuses and ("PATCH", 412) not in statuses, log


def test_our_client_says_why_it_cannot_publish(aiortc_server, tmp_path):
    path = make(tmp_path / "a.webm", "-t", "1", "-c:v", "libvpx", "-c:a", "libopus")
    done = publish(path, aiortc_server.url + "/secret", "--token", "wrong")
    assert done.returncode != 0 and "401" in done.stderr and "who?" in done.stderr, done
    done = publish(path, aiortc_server.url + "/nothing")
    assert done.returncode != 0 and "404" in done.stderr, done
    done = publish(path, "http://127.0.0.1:9/whip")
    assert done.returncode != 0 and "did not respond" in done.stderr and "efused" in done.stderr, done


@pytest.mark.parametrize(("name", "options", "codec"), [
    ("a.webm", ("-c:v", "libvpx", "-g", "30", "-c:a", "libopus"), "vp8"), ("a.mp4", (*H264, "-c:a", "libopus"), "h264"),
])
def test_what_our_client_publishes_our_client_records(server, tmp_path, name, options, codec):
    path = make(tmp_path / name, *options)
    recording = tmp_path / f"recorded-{name}"
    publisher = subprocess.Popen(
        [*swift_binary("media-send"), path, "--whip", server.url + "whip/file", "--token", TOKEN, "--loop"],
        stdout=subprocess.PIPE, text=True,
    )
    try:
        assert publisher.stdout.readline().startswith("Published")
        recorder = subprocess.Popen(
            [*swift_binary("media-record"), str(recording), "--whep", server.url + "whep/file"],
            stdout=subprocess.PIPE, text=True,
        )
        assert recorder.stdout.readline().startswith("Playing")
        wait_until(lambda: recording.exists() and recording.stat().st_size > 30_000, "a recording")
    finally:
        publisher.terminate()
        assert publisher.wait(DEADLINE) == 0
    # The recording ends with its publisher.
    output, _ = recorder.communicate(timeout=DEADLINE)
    assert "Recorded" in output and recorder.returncode == 0, output
    streams = probe(recording)
    assert streams["video"]["codec"] == codec and streams["audio"]["codec"] == "opus", streams
    assert streams["video"]["count"] > 15, streams
