"""Two pages in Chromium that make a call through SockJS where no WebSocket gets through."""

from __future__ import annotations

import json
import urllib.request

import browser as chromium
import pytest
from cutting_proxy import CuttingProxy
from harness import DEADLINE
from signaling import serve
from test_signaling_sockjs import CLIENT, PATIENT, TRANSPORTS

OVER_HTTP = [name for name in TRANSPORTS if name != "websocket"]

# A page that calls, or waits for a call, and says what it heard on its data channel and how it was connected.
PAGE = """
window.call = (url, transports, room, offers) => {
  const me = offers ? "caller" : "called";
  let hasOffered = false;
  const connection = new RTCPeerConnection();
  const socket = new SockJS(url, null, {
    timeout: 20000, ...(transports ? {transports: ["websocket", ...transports]} : {}),
  });
  const say = (kind, data) => socket.send(JSON.stringify({room, me, kind, data}));
  const gathered = () => new Promise(resolve => {
    const check = () => connection.iceGatheringState === "complete" && resolve();
    connection.onicegatheringstatechange = check;
    check();
  });
  const describe = async kind => {
    await connection.setLocalDescription();
    await gathered();
    say(kind, connection.localDescription);
  };
  window.result = {used: null, heard: null, events: []};
  // Chromium loses the first words of a channel now and then when the machine is busy; the call is what counts here.
  let saying;
  const attach = channel => {
    const begin = () => {
      clearInterval(saying);
      channel.send("from the " + me);
      saying = setInterval(() => channel.readyState === "open" && channel.send("from the " + me), 250);
    };
    channel.onopen = begin;
    // One that comes may be open already, and not say so again.
    if (channel.readyState === "open") begin();
    channel.onmessage = event => { window.result.heard = event.data; };
  };
  if (offers) attach(connection.createDataChannel("call")); else connection.ondatachannel = e => attach(e.channel);
  socket.onopen = () => {
    window.result.used = socket.transport;
    say("here");
  };
  socket.onclose = event => window.result.events.push(["close", event.code, event.reason]);
  socket.onmessage = async event => {
    const message = JSON.parse(event.data);
    if (message.room !== room || message.me === me) return;
    window.result.events.push(message.kind);
    if (message.kind === "here" && !offers) say("ready");
    // Where both open at the same time, "here" comes and "ready", too.
    if ((message.kind === "ready" || message.kind === "here") && offers && !hasOffered) {
      hasOffered = true;
      await describe("offer");
    }
    if (message.kind === "offer") {
      await connection.setRemoteDescription(message.data);
      await describe("answer");
    }
    if (message.kind === "answer") await connection.setRemoteDescription(message.data);
  };
  window.end = () => { clearInterval(saying); socket.close(); connection.close(); };
};
"""
LOAD = """
const done = arguments[0], script = document.createElement('script');
script.onload = done; script.src = '/sockjs.js'; document.head.append(script);
"""


@pytest.fixture(scope="module", params=["refused by the server", "cut on the way"])
def place(request):
    """Where the pages are, and how often a WebSocket was tried there."""
    if request.param == "refused by the server":
        server = serve("--sockjs-file", CLIENT, "--refuse-websockets", *PATIENT)
        yield server.url, lambda: None
    else:
        server = serve("--sockjs-file", CLIENT, *PATIENT)
        host, port = server.url.split("/")[2].rsplit(":", 1)
        proxy = CuttingProxy((host, int(port)))
        yield proxy.url, lambda: proxy.cut
        proxy.stop()
    assert server.stop() == 0


@pytest.fixture(scope="module")
def pages(place, tmp_path_factory):
    profile = str(tmp_path_factory.mktemp("chromium"))
    driver = chromium.start(profile, "--disable-features=WebRtcHideLocalIpsWithMdns")
    driver.set_script_timeout(DEADLINE)
    driver.get(place[0])
    driver.switch_to.new_window("tab")
    driver.get(place[0])
    for window in driver.window_handles:
        driver.switch_to.window(window)
        driver.execute_async_script(LOAD)
        driver.execute_script(PAGE)
    yield driver
    driver.quit()


WAIT = """
const done = arguments[0];
const check = () => window.result.heard ? done(window.result) : setTimeout(check, 20);
setTimeout(() => done(window.result), %d);
check();
""" % ((DEADLINE - 5) * 1000)


def make_call(pages, url: str, transports: list[str] | None, room: str) -> dict:
    """Has one page call the other; gives what each says of it, under what it should have heard."""
    called, caller = pages.window_handles
    for window, offers in ((called, False), (caller, True)):
        pages.switch_to.window(window)
        pages.execute_script("call(...arguments)", url, transports, room, offers)
    results = {}
    for window, name in ((called, "from the caller"), (caller, "from the called")):
        pages.switch_to.window(window)
        results[name] = pages.execute_async_script(WAIT)
    for window in (called, caller):
        pages.switch_to.window(window)
        pages.execute_script("end()")
    return results


@pytest.mark.parametrize("transport", [None, *OVER_HTTP])
def test_a_call_is_made_without_websockets(place, pages, transport):
    url, cut = place
    assert json.load(urllib.request.urlopen(url + "broadcast/info"))["websocket"], "nothing to fall back from"
    tried = cut()
    results = make_call(pages, url + "broadcast", transport and [transport], transport or "any")
    for name, result in results.items():
        assert result["heard"] == name, results
        assert result["used"] == transport if transport else result["used"] != "websocket", results
    assert tried is None or cut() > tried, "no WebSocket was tried"
