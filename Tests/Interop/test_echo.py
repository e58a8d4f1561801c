"""echo through its HTTP interface: the server, its page in a browser, and its client."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import harness  # noqa: F401  (puts the peers' folder on the path)
import browser as chromium
import pytest
from harness import DEADLINE, HERE, Deadline, swift_binary
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SAMPLE_OFFER = """v=0\r
o=- 1 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0\r
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r
c=IN IP4 0.0.0.0\r
a=ice-ufrag:abcd\r
a=ice-pwd:abcdefghijklmnopqrstuvwx\r
a=fingerprint:sha-256 {fingerprint}\r
a=setup:actpass\r
a=mid:0\r
a=sctp-port:5000\r
a=max-message-size:262144\r
""".format(fingerprint=":".join(["AB"] * 32))


class Server:
    """A server process that prints its address when it is ready."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        self.url = None
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(DEADLINE) or self.url is None:
            self.process.kill()
            raise Deadline(f"{command} printed no address: {self.lines}")

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"https?://[^\s/]+:\d+/", line)
            if found and self.url is None:
                self.url = found[0]
                self._ready.set()
        self._ready.set()

    def stop(self, number=signal.SIGTERM) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Deadline(f"still running {DEADLINE:g} s after {number!r}: {self.lines}") from None


def serve(*options: str) -> Server:
    return Server([*swift_binary("echo"), "serve", "--http", "127.0.0.1:0", *options])


def call(url: str, *options: str) -> subprocess.CompletedProcess:
    command = [*swift_binary("echo"), "call", url, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE * 2)


def aiortc_server(*options: str) -> Server:
    return Server([sys.executable, str(HERE / "peers" / "aiortc_echo.py"), *options])


@pytest.fixture(scope="module")
def server():
    running = serve()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.start(str(tmp_path_factory.mktemp("profile")))
    driver.set_window_size(1100, 1000)
    yield driver
    driver.quit()


def wait(browser, condition, what: str):
    return WebDriverWait(browser, DEADLINE, poll_frequency=0.05).until(lambda _: condition(), f"no {what}")


def text(browser, identifier: str) -> str:
    return browser.find_element(By.ID, identifier).text


def open_page(browser, url: str) -> None:
    browser.get(url)
    browser.find_element(By.ID, "connect").click()
    wait(browser, lambda: browser.find_element(By.ID, "message").is_enabled(), f"open channel: {text(browser, 'error')}")


def post(url: str, body: bytes, content_type="application/json") -> tuple[int, dict]:
    request = urllib.request.Request(url + "offer", data=body, headers={"Content-Type": content_type})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


# The page.


def test_page_is_whole_and_asks_for_nothing_else(server):
    with urllib.request.urlopen(server.url, timeout=DEADLINE) as response:
        page = response.read().decode()
        assert response.headers["Content-Type"].replace(" ", "").lower() == "text/html;charset=utf-8"
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_page_connects_and_shows_the_echo_of_a_message(server, browser):
    open_page(browser, server.url)
    wait(browser, lambda: text(browser, "state") == "connected", "connected state")
    for message in ("hello", "Grüße, 世界", ""):
        before = len(browser.find_elements(By.CSS_SELECTOR, "#log li"))
        browser.find_element(By.ID, "message").send_keys(message)
        browser.find_element(By.ID, "send").click()
        wait(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "#log li")) > before, "echo")
        newest = browser.find_element(By.CSS_SELECTOR, "#log li")
        assert newest.find_element(By.CLASS_NAME, "text").text == message
        assert re.fullmatch(r"[\d.]+ ms", newest.find_element(By.CLASS_NAME, "time").text)
    wait(browser, lambda: re.search(r":\d+ udp ", text(browser, "remote-candidate")), "selected candidate pair")
    wait(browser, lambda: text(browser, "dtls-state").startswith("connected"), "DTLS connected")
    assert text(browser, "error") == ""


@pytest.mark.parametrize("kind", ["binary", "text"])
def test_page_sends_many_messages_and_none_is_altered(server, browser, kind):
    open_page(browser, server.url)
    for identifier, value in (("burst-count", "1000"), ("burst-size", "1200"), ("burst-window", "32")):
        field = browser.find_element(By.ID, identifier)
        field.clear()
        field.send_keys(value)
    browser.find_element(By.CSS_SELECTOR, f"#burst-kind option[value={kind}]").click()
    browser.find_element(By.ID, "burst-start").click()
    wait(browser, lambda: text(browser, "burst-done") == "1000", "echo of every message")
    assert text(browser, "burst-altered") == "0"
    assert float(text(browser, "burst-median")) > 0
    wait(browser, lambda: "1000 messages" in browser.find_element(By.ID, "plot").get_attribute("aria-label"), "plot")


def test_page_disconnects_and_connects_again(server, browser):
    open_page(browser, server.url)
    browser.find_element(By.ID, "connect").click()
    wait(browser, lambda: text(browser, "state") == "closed", "closed state")
    browser.find_element(By.ID, "connect").click()
    wait(browser, lambda: browser.find_element(By.ID, "message").is_enabled(), "open channel")


def test_page_has_no_errors_in_its_console(server, browser):
    open_page(browser, server.url)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


# The HTTP interface.


def test_answer_to_a_good_offer(server):
    status, answer = post(server.url, json.dumps({"type": "offer", "sdp": SAMPLE_OFFER}).encode())
    assert status == 200
    assert answer["type"] == "answer"
    assert "webrtc-datachannel" in answer["sdp"]
    assert re.search(r"^a=candidate:\S+ 1 udp ", answer["sdp"], re.MULTILINE | re.IGNORECASE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"[]",
        b"null",
        b'"offer"',
        b"{}",
        b'{"type":"offer"}',
        b'{"sdp":"v=0"}',
        b'{"type":"offer","sdp":7}',
        b'{"type":"answer","sdp":"v=0"}',
        b"\xff\xfe\x00",
    ],
)
def test_malformed_json_is_refused(server, body):
    status, answer = post(server.url, body)
    assert status == 400
    assert isinstance(answer["error"], str) and answer["error"]


BROKEN_OFFERS = {
    "empty": "",
    "not SDP": "garbage",
    "first line only": "v=0\r\n",
    "cut": SAMPLE_OFFER[:120],
    "no ufrag": re.sub(r"a=ice-ufrag.*\r\n", "", SAMPLE_OFFER),
    "no fingerprint": re.sub(r"a=fingerprint.*\r\n", "", SAMPLE_OFFER),
    "other version": SAMPLE_OFFER.replace("v=0", "v=1"),
    "binary": "\x00\x01\x02" * 50,
}


@pytest.mark.parametrize("sdp", BROKEN_OFFERS.values(), ids=BROKEN_OFFERS.keys())
def test_broken_sdp_is_refused(server, sdp):
    status, answer = post(server.url, json.dumps({"type": "offer", "sdp": sdp}).encode())
    assert status == 400
    assert isinstance(answer["error"], str) and answer["error"]


def test_body_over_64_kib_is_refused(server):
    status, answer = post(server.url, json.dumps({"type": "offer", "sdp": "a" * 65536}).encode())
    assert status == 413
    assert answer["error"]


def test_body_over_64_kib_is_refused_without_its_length_being_told(server):
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        head = f"POST /offer HTTP/1.1\r\nHost: {host}:{port}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        try:
            for _ in range(80):
                connection.sendall(b"400\r\n" + b"a" * 1024 + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.makefile("rb").readline().split()[1] == b"413"


def test_unknown_path_and_method(server):
    for path, method, expected in (("nothing", "GET", {404}), ("offer", "GET", {404, 405}), ("", "DELETE", {404, 405})):
        request = urllib.request.Request(server.url + path, method=method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=DEADLINE)
        with refused.value:
            assert refused.value.code in expected


def test_serves_on_after_everything_it_refused(server):
    result = call(server.url, "--messages", "3")
    assert result.returncode == 0, result.stdout + result.stderr


# Ending.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_an_idle_server_with_status_0(number):
    assert serve().stop(number) == 0


def test_sigterm_closes_the_peers_before_it_ends(browser):
    running = serve()
    open_page(browser, running.url)
    assert running.stop() == 0
    wait(browser, lambda: text(browser, "state") == "closed", "closed state")
    # The page is told, rather than left to find out by missing checks, after which it would say so.
    assert "failed" not in text(browser, "error")


def test_address_in_use_is_an_error(server):
    host = server.url.removeprefix("http://").rstrip("/")
    command = [*swift_binary("echo"), "serve", "--http", host]
    result = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert result.returncode != 0
    assert result.stderr


# The client.


@pytest.mark.parametrize("size", ["1", "32", "1200", "65536", "262144"])
def test_call_to_serve(server, size):
    result = call(server.url, "--messages", "50", "--size", size)
    assert result.returncode == 0, result.stdout + result.stderr
    for word in ("min", "median", "p99"):
        assert word in result.stdout.lower()


def test_call_prints_json(server):
    result = call(server.url, "--messages", "20", "--size", "100", "--json")
    assert result.returncode == 0, result.stderr
    assert isinstance(json.loads(result.stdout), dict)


def test_several_calls_at_once(server):
    command = [*swift_binary("echo"), "call", server.url, "--messages", "50"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(8)]
    for process in running:
        output, _ = process.communicate(timeout=DEADLINE * 2)
        assert process.returncode == 0, output.decode()


def test_call_to_aiortc():
    running = aiortc_server()
    result = call(running.url, "--messages", "50", "--size", "1000")
    assert result.returncode == 0, result.stdout + result.stderr
    assert running.stop() == 0


def test_call_notices_an_altered_message():
    running = aiortc_server("--alter", "7")
    result = call(running.url, "--messages", "20", "--size", "100")
    assert result.returncode != 0
    running.stop()


def test_call_fails_when_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = call(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert result.returncode != 0
    assert result.stderr


def test_call_fails_when_the_server_refuses(server):
    result = call(server.url + "nothing-here/")
    assert result.returncode != 0
    assert result.stderr
