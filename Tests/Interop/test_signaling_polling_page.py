"""Two pages in Chromium that make a call by this package's own polling protocol, with what every browser has: fetch and EventSource."""

from __future__ import annotations

import browser as chromium
import pytest
from harness import DEADLINE
from signaling import serve
from test_signaling_fallback import PAGE, make_call

# What the page wants of a socket, over requests; as Documentation/Signaling.md tells it.
SOCKET = """
window.SockJS = class {
  constructor(url, _, { transports }) {
    this.transport = transports[1];
    this.number = 1;
    this.sending = Promise.resolve();
    this.open(url);
  }
  async open(url) {
    const opened = await fetch(url, { method: "POST" });
    this.url = new URL(opened.headers.get("location"), url).href;
    this.onopen();
    if (this.transport === "events") {
      this.source = new EventSource(this.url + "?after=0");
      this.source.onmessage = (event) => this.onmessage({ data: JSON.parse(event.data) });
    } else {
      await this.poll();
    }
  }
  async poll() {
    for (let after = 0; !this.isClosed;) {
      const wait = this.transport === "long polling" ? "&wait=20" : "";
      const response = await fetch(`${this.url}?after=${after}${wait}`);
      if (!response.ok) return;
      const { last, messages } = await response.json();
      after = last;
      for (const data of messages) this.onmessage({ data });
      const pause = Number(response.headers.get("retry-after") ?? 0);
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    }
  }
  send(text) {
    const id = this.number++;
    this.sending = this.sending.then(() => fetch(`${this.url}?id=${id}`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify([text]) }));
  }
  close() {
    this.isClosed = true;
    this.source?.close();
    this.sending.then(() => fetch(this.url, { method: "DELETE" }));
  }
};
"""


@pytest.fixture(scope="module")
def server():
    server = serve("--refuse-websockets")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def pages(server, tmp_path_factory):
    driver = chromium.start(str(tmp_path_factory.mktemp("chromium")), "--disable-features=WebRtcHideLocalIpsWithMdns")
    driver.set_script_timeout(DEADLINE)
    driver.get(server.url)
    driver.switch_to.new_window("tab")
    driver.get(server.url)
    for window in driver.window_handles:
        driver.switch_to.window(window)
        driver.execute_script(SOCKET + PAGE)
    yield driver
    driver.quit()


@pytest.mark.parametrize("way", ["polling", "long polling", "events"])
def test_a_call_is_made_by_polling(server, pages, way):
    results = make_call(pages, server.url + "signal/broadcast", [way], way)
    for name, result in results.items():
        assert (result["heard"], result["used"]) == (name, way), results
