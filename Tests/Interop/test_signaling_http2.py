"""signaling-server over TLS: HTTP/2 by a client on the library h2, HTTP/1.1, WebSockets on streams, certificates, limits."""

from __future__ import annotations

import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import uuid

import browser as chromium
import h2.errors
import h2.settings
import pytest
import websockets.sync.client
from coturn import Certificates
from cutting_proxy import CuttingProxy
from harness import DEADLINE, wait_until
from http2 import HTTP2
from signaling import serve
from websocket_cases import BINARY, CLOSE, PING, TEXT, close, frame


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


LARGE = bytes(range(256)) * (8 << 10)


def resident(server) -> int:
    """The server's memory, in bytes."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10


def start(certificates, *options: str):
    return serve("--tls-certificate", str(certificates.certificate), "--tls-key", str(certificates.key), *options)


@pytest.fixture(scope="module")
def server(certificates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "page.html").write_text("<title>page</title>" * 10_000)
    (folder / "large").write_bytes(LARGE)
    script = folder / "script.js"
    script.write_bytes(bytes(1 << 20))
    server = start(certificates, "--compress", "--files", str(folder), "--sockjs-file", str(script))
    yield server
    assert server.stop() == 0


def address(server) -> tuple[str, int]:
    host, port = server.url.split("/")[2].rsplit(":", 1)
    return host, int(port)


@pytest.fixture
def client(server, certificates):
    client = HTTP2(address(server), certificates.authority)
    yield client
    client.socket.close()


def test_alpn_chooses(server, certificates):
    for offered, chosen in [(("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), (("unknown",), None)]:
        context = ssl.create_default_context(cafile=str(certificates.authority))
        context.set_alpn_protocols(list(offered))
        connection = http.client.HTTPSConnection("localhost", address(server)[1], context=context, timeout=DEADLINE)
        if chosen == "h2":
            assert HTTP2(address(server), certificates.authority, offered).chosen == "h2"
            continue
        connection.request("GET", "/")
        assert connection.sock.selected_alpn_protocol() == chosen
        assert b"signaling-server" in connection.getresponse().read()
        connection.close()


def test_the_server_says_its_limits(client):
    client.wait(lambda: client.settings, "settings")
    codes = h2.settings.SettingCodes
    assert client.settings[codes.MAX_CONCURRENT_STREAMS] == 100
    assert client.settings[codes.MAX_HEADER_LIST_SIZE] == 16 << 10
    assert client.settings[codes.ENABLE_CONNECT_PROTOCOL] == 1


def test_pages_and_files_many_at_once(client):
    streams = [client.request("GET", "/static/page.html") for _ in range(20)]
    missing, head = client.request("GET", "/none"), client.request("HEAD", "/static/page.html")
    for stream in streams:
        assert client.response(stream) == ("200", b"<title>page</title>" * 10_000)
    assert client.response(missing)[0] == "404"
    assert client.response(head) == ("200", b"")
    assert client.headers[head]["content-length"] == str(19 * 10_000)
    again = client.request("GET", "/static/page.html", headers=[("if-none-match", client.headers[streams[0]]["etag"])])
    assert client.response(again) == ("304", b"")
    assert not any(name in client.headers[streams[0]] for name in ("connection", "transfer-encoding", "keep-alive"))


def test_files_that_are_not_taken_are_not_in_memory(server, certificates, client):
    client.wait(lambda: client.settings, "settings")
    client.response(client.request("GET", "/static/large"))
    before = resident(server)
    slow = HTTP2(address(server), certificates.authority)
    slow.takes = False
    streams = [slow.request("GET", "/static/large") for _ in range(20)]
    # All that the window of the connection lets through.
    slow.wait(lambda: sum(map(len, slow.data.values())) == 65_535 and len(slow.headers) == 20, "data")
    # Whatever the server does beyond that, it has done when it answers somebody else.
    for _ in range(20):
        assert client.response(client.request("GET", "/static/page.html"))[0] == "200"
    assert resident(server) - before < 16 << 20
    # One of them is enough to see that it goes on.
    for stream in streams[1:]:
        slow.connection.reset_stream(stream)
    slow.take()
    assert slow.response(streams[0]) == ("200", LARGE)
    slow.socket.close()


def test_whole_responses_wait_for_who_takes_them(server, certificates, client):
    slow = HTTP2(address(server), certificates.authority)
    slow.takes = False
    streams = [slow.request("GET", "/sockjs.js") for _ in range(40)]
    slow.wait(lambda: sum(map(len, slow.data.values())) == 65_535 and len(slow.headers) == 40, "data")
    assert client.response(client.request("GET", "/"))[0] == "200"
    slow.take()
    # They all come together, 40 MiB until the first has ended.
    [(status, script)] = {slow.response(stream, DEADLINE * 3) for stream in streams}
    assert status == "200" and len(script) > 100_000
    slow.socket.close()


def test_bodies_beyond_the_room_for_them_wait(client):
    client.wait(lambda: client.settings, "settings")
    path = f"/echo/0/{uuid.uuid4()}/xhr_send"
    # There is room for sixteen of the largest size.
    streams = [client.request("POST", path, end=False) for _ in range(30)]
    sent = dict.fromkeys(streams, 0)

    def send(stream: int, size: int) -> None:
        while sent[stream] < size:
            piece = min(size - sent[stream], 8000)
            client.wait(lambda: client.connection.local_flow_control_window(stream) >= piece, f"room for {stream}")
            client.send(stream, bytes(piece))
            sent[stream] += piece

    for stream in streams:
        send(stream, 64_000)
    # Those that are read from can go on, the others cannot.
    for stream in streams[:16]:
        send(stream, 200_000)
    assert all(client.connection.local_flow_control_window(stream) < 8000 for stream in streams[16:])
    for stream in streams[:16]:
        client.send(stream, b"", end=True)
        assert client.response(stream)[0] == "404"
    for stream in streams[16:]:
        send(stream, 200_000)
        client.send(stream, b"", end=True)
        assert client.response(stream)[0] == "404"


def test_sockjs_streams_on_one_connection(client):
    assert json.loads(client.response(client.request("GET", "/echo/info"))[1])["websocket"]
    session = f"/echo/000/{uuid.uuid4()}"
    stream = client.request("POST", session + "/xhr_streaming", b"")
    client.wait(lambda: client.data.get(stream, b"").endswith(b"o\n"), "open frame")
    assert client.data[stream] == b"h" * 2048 + b"\no\n"
    for number in range(3):
        sent = client.request("POST", session + "/xhr_send", json.dumps([f"message {number}"]).encode())
        assert client.response(sent) == ("204", b"")
        client.wait(lambda: f'a["message {number}"]\n'.encode() in client.data[stream], "message")
    poll = client.request("POST", f"/close/000/{uuid.uuid4()}/xhr", b"")
    assert client.response(poll) == ("200", b"o\n")
    # A stream that the client gives up is the end of its session.
    client.connection.reset_stream(stream)
    client.flush()

    def ended() -> bool:
        return client.response(client.request("POST", session + "/xhr_send", b'["x"]'))[0] == "404"

    wait_until(ended, "end of the session")


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """The frames of a server in what came so far."""
    found = []
    while len(data) >= 2:
        length, start = data[1] & 0x7F, 2
        if length == 126:
            length, start = struct.unpack("!H", data[2:4])[0], 4
        if len(data) < start + length:
            break
        found.append((data[0], data[start : start + length]))
        data = data[start + length :]
    return found


def test_websockets_on_streams(client):
    client.wait(lambda: client.settings, "settings")
    streams = [client.open_websocket("/ws/echo", [("sec-websocket-protocol", "unknown, echo")]) for _ in range(3)]
    for number, stream in enumerate(streams):
        client.wait(lambda: stream in client.headers, "response")
        assert client.headers[stream][":status"] == "200"
        assert client.headers[stream]["sec-websocket-protocol"] == "echo"
        assert "sec-websocket-accept" not in client.headers[stream]
        client.send(stream, frame(TEXT, f"hello {number}".encode()) + frame(PING, b"ping"))
    for number, stream in enumerate(streams):
        got = client.wait(lambda: len(found := frames(client.data.get(stream, b""))) == 2 and found, "answers")
        assert sorted(got) == [(0x81, f"hello {number}".encode()), (0x8A, b"ping")]
    client.send(streams[0], close(4321))
    client.wait(lambda: streams[0] in client.ended, "end of the stream")
    assert frames(client.data[streams[0]])[-1] == (0x80 | CLOSE, struct.pack("!H", 4321))
    # The others go on, also past a window's size.
    for _ in range(20):
        before = len(client.data[streams[1]])
        client.send(streams[1], frame(BINARY, bytes(10_000)))
        client.wait(lambda: len(client.data[streams[1]]) == before + 10_004, "echo")
    # A stream that ends without a close, and one that is reset.
    client.send(streams[1], b"", end=True)
    client.wait(lambda: streams[1] in client.ended or streams[1] in client.resets, "end of the stream")
    client.connection.reset_stream(streams[2])
    client.flush()
    assert client.response(client.request("GET", "/"))[0] == "200"


def test_compression_on_a_stream(client):
    client.wait(lambda: client.settings, "settings")
    stream = client.open_websocket("/ws/echo", [("sec-websocket-extensions", "permessage-deflate")])
    client.wait(lambda: stream in client.headers, "response")
    assert client.headers[stream]["sec-websocket-extensions"].startswith("permessage-deflate")
    client.send(stream, frame(TEXT, b"x" * 300))
    got = client.wait(lambda: frames(client.data.get(stream, b"")), "echo")
    assert got[0][0] == 0xC1 and len(got[0][1]) < 30


def test_sockjs_and_stomp_on_streams(client):
    client.wait(lambda: client.settings, "settings")
    sockjs = client.open_websocket(f"/echo/000/{uuid.uuid4()}/websocket")
    client.wait(lambda: frames(client.data.get(sockjs, b"")), "open frame")
    client.send(sockjs, frame(TEXT, b'["a"]'))
    client.wait(lambda: len(frames(client.data[sockjs])) == 2, "message")
    assert [payload for _, payload in frames(client.data[sockjs])] == [b"o", b'a["a"]']
    stomp = client.open_websocket("/stomp", [("sec-websocket-protocol", "v12.stomp")])
    client.wait(lambda: stomp in client.headers, "response")
    client.send(stomp, frame(TEXT, b"CONNECT\naccept-version:1.2\n\n\0"))
    got = client.wait(lambda: frames(client.data.get(stomp, b"")), "CONNECTED")
    assert got[0][1].startswith(b"CONNECTED\nversion:1.2\n")


def test_what_opens_no_websocket_gets_a_response(client):
    client.wait(lambda: client.settings, "settings")
    version = [("sec-websocket-version", "8")]
    for path, fields, status in [
        ("/none", [(":protocol", "websocket"), ("sec-websocket-version", "13")], "404"),
        ("/ws/echo", [(":protocol", "websocket"), *version], "426"),
        ("/ws/echo", [(":protocol", "other")], "501"),
    ]:
        assert client.response(client.request("CONNECT", path, headers=fields, end=False))[0] == status


def test_limits_of_requests(client):
    client.wait(lambda: client.settings, "settings")
    large = client.request("POST", f"/echo/0/{uuid.uuid4()}/xhr_send", end=False)
    while large not in client.headers:
        client.wait(
            lambda: large in client.headers or client.connection.local_flow_control_window(large) >= 10_000, "room"
        )
        if large not in client.headers:
            client.send(large, bytes(10_000))
    client.wait(lambda: large in client.headers, "refusal")
    assert client.headers[large][":status"] == "413"
    long = client.request("GET", "/" + "a" * 9000)
    assert client.response(long)[0] == "414"


def test_a_header_that_is_too_large_ends_the_connection_or_the_stream(client):
    stream = client.request("GET", "/", headers=[(f"x-{number}", "a" * 1000) for number in range(20)])
    while not client.is_closed and stream not in client.resets and client.headers.get(stream, {}).get(":status") != "431":
        client._read()
    assert "200" not in str(client.headers)


def test_who_says_nothing_instead_of_a_handshake_is_closed(server):
    with socket.create_connection(address(server), DEADLINE) as silent:
        assert silent.recv(1) == b""


def test_rapid_resets_end_the_connection(server, certificates):
    client = HTTP2(address(server), certificates.authority)
    client.wait(lambda: client.settings, "settings")
    try:
        for _ in range(1000):
            stream = client.connection.get_next_available_stream_id()
            fields = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")]
            client.connection.send_headers(stream, fields, end_stream=True)
            client.connection.reset_stream(stream)
            client.flush()
    except OSError:
        pass
    client.closed()
    other = HTTP2(address(server), certificates.authority)
    assert other.response(other.request("GET", "/"))[0] == "200"
    other.socket.close()


def test_websockets_over_http_1_and_tls(server, certificates):
    context = ssl.create_default_context(cafile=str(certificates.authority))
    url = f"wss://localhost:{address(server)[1]}/ws/echo"
    with websockets.sync.client.connect(url, ssl=context, open_timeout=DEADLINE) as client:
        assert [extension.name for extension in client.protocol.extensions] == ["permessage-deflate"]
        for message in ("x" * 100_000, "é" * 1000, b"\x00" * 100_000):
            client.send(message)
            assert client.recv(DEADLINE) == message


def test_chromium_has_its_websockets_on_the_page_s_connection(server, tmp_path):
    proxy = CuttingProxy(address(server))
    driver = chromium.start(str(tmp_path), "--ignore-certificate-errors")
    driver.set_script_timeout(DEADLINE)
    try:
        driver.get(f"https://127.0.0.1:{proxy.port}/")
        assert driver.execute_script("return performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        before = proxy.accepted
        script = """
            const done = arguments[1], sockets = [1, 2, 3].map(() => new WebSocket(arguments[0], ["echo"])), heard = [];
            for (const [number, socket] of sockets.entries()) {
              socket.onopen = () => socket.send("x".repeat(1000) + number);
              socket.onmessage = event => {
                heard.push(event.data.slice(1000) + socket.extensions);
                socket.close(4000 + number);
              };
              socket.onclose = event => { if (heard.push(event.code) === 6) done(heard); };
            }
        """
        heard = driver.execute_async_script(script, f"wss://127.0.0.1:{proxy.port}/ws/echo")
    finally:
        driver.quit()
        proxy.stop()
    assert {4000, 4001, 4002} < set(heard)
    assert sorted(str(text)[:19] for text in heard if isinstance(text, str)) == [f"{n}permessage-deflate" for n in range(3)]
    assert proxy.accepted == before, "a connection of its own"


def test_certificates_are_exchanged_while_it_runs(certificates, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    used, other = Certificates(tmp_path / "first"), Certificates(tmp_path / "second")
    server = start(used)
    old = HTTP2(address(server), used.authority)
    with pytest.raises(ssl.SSLCertVerificationError):
        HTTP2(address(server), other.authority)
    first = used.certificate.read_bytes()
    used.certificate.write_text("no certificate")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: any("Certificates kept" in line for line in server.lines), "refusal")
    HTTP2(address(server), used.authority).socket.close()
    used.certificate.write_bytes(first)
    shutil.copy(other.certificate, used.certificate)
    shutil.copy(other.key, used.key)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: any("read again" in line for line in server.lines), "certificates")
    new = HTTP2(address(server), other.authority)
    for client in (old, new):
        assert client.response(client.request("GET", "/"))[0] == "200"
    assert server.stop() == 0


def test_a_server_that_stops_tells_everybody(certificates):
    server = start(certificates, "--drain", "9")
    client = HTTP2(address(server), certificates.authority)
    client.wait(lambda: client.settings, "settings")
    stream = client.request("POST", f"/echo/000/{uuid.uuid4()}/xhr_streaming", b"")
    websocket = client.open_websocket("/ws/echo")
    client.wait(lambda: websocket in client.headers and client.data.get(stream, b"").endswith(b"o\n"), "sessions")
    server.process.send_signal(signal.SIGTERM)
    client.wait(lambda: client.goaway and frames(client.data.get(websocket, b"")), "farewell")
    assert client.goaway.error_code == h2.errors.ErrorCodes.NO_ERROR
    assert client.response(stream)[1].endswith(b'c[1001,"Going away"]\n')
    assert frames(client.data[websocket])[-1] == (0x80 | CLOSE, b"\x03\xe9Going away")
    # The library sends no answer after a GOAWAY: the server waits for it, and not for ever.
    client.closed()
    assert server.process.wait(DEADLINE) == 0
