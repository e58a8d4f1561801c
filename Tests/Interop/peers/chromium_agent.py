"""Chromium as an agent (PROTOCOL.md): a page does the work, this process carries its lines.

Requests wait in a queue that the page fetches with GET /requests (held until there is one); replies and events come
back with POST /lines. Selenium only starts and ends the browser.
"""

import http.server
import json
import pathlib
import queue
import sys
import tempfile
import threading

import browser

HERE = pathlib.Path(__file__).resolve().parent
PAGE = b"<!doctype html><meta charset=utf-8><title>agent</title><script src=/media_page.js></script><script src=/chromium_page.js></script>"

requests: queue.Queue[str] = queue.Queue()
output = threading.Lock()


def write(line: str) -> None:
    with output:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path == "/requests":
            lines = []
            try:
                lines.append(requests.get(timeout=20))
                while True:
                    lines.append(requests.get_nowait())
            except queue.Empty:
                pass
            self.answer("\n".join(lines).encode(), "text/plain; charset=utf-8")
        elif self.path in ("/chromium_page.js", "/media_page.js"):
            self.answer((HERE / self.path[1:]).read_bytes(), "text/javascript; charset=utf-8")
        else:
            self.answer(PAGE, "text/html; charset=utf-8")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        for line in body.splitlines():
            write(line)
        self.answer(b"", "text/plain")

    def log_message(self, *arguments) -> None:
        pass


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = browser.start(profile, "--autoplay-policy=no-user-gesture-required")
        try:
            version = driver.capabilities["browserVersion"]
            driver.get(f"http://127.0.0.1:{server.server_port}/#{version}")
            for line in sys.stdin:
                json.loads(line)
                requests.put(line.rstrip("\n"))
        except KeyboardInterrupt:
            pass
        finally:
            driver.quit()


main()
