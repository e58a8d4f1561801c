"""Clients in JavaScript that nobody here wrote, in Chromium. No package registry that the tests install from has them, so each is run
where an environment variable names it:

STOMPJS           the bundle of @stomp/stompjs (stomp.umd.js)
WHIP_WHEP         the folder with whip.js and whep.js of whip-whep
"""

from __future__ import annotations

import os
import pathlib
import shutil

import browser as chromium
import pytest
from harness import DEADLINE, swift_binary
from signaling import serve
from test_echo import Server
from test_signaling_sockjs import CLIENT
from test_whip import TOKEN, request


def given(variable: str):
    """A parameter if there is such a client; else there is no such test."""
    value = os.environ.get(variable)
    return [pytest.param(pathlib.Path(value), id=pathlib.Path(value).stem) if value else pytest.param(None, id="not-applicable")]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = chromium.start(
        str(tmp_path_factory.mktemp("chromium")), *chromium.MEDIA_ARGUMENTS, "--allow-loopback-in-peer-connection"
    )
    driver.set_script_timeout(DEADLINE)
    yield driver
    driver.quit()


STOMP = """
const [over, done] = arguments;
const load = (path) => new Promise((loaded, failed) => {
  const script = Object.assign(document.createElement("script"), { src: path, onload: loaded, onerror: failed });
  document.head.append(script);
});
(async () => {
  await load("/sockjs.js");
  await load("/static/stomp.js");
  const transports = over === "xhr" ? ["websocket", "xhr-polling"] : undefined;
  const way = over === "websocket" ? { brokerURL: location.href.replace(/^http/, "ws") + "stomp" }
    : { webSocketFactory: () => new SockJS("/stomp-sockjs", null, { transports }) };
  const client = new StompJs.Client({ ...way, connectHeaders: { login: "bob", passcode: "x" }, reconnectDelay: 0,
    heartbeatIncoming: 1000, heartbeatOutgoing: 1000 });
  await new Promise((connected, refused) => {
    client.onConnect = connected;
    client.onStompError = (frame) => refused(new Error(frame.body));
    client.activate();
  });
  // What comes to a destination, one after the other.
  const subscribe = (destination, headers) => {
    const [come, waiting] = [[], []];
    client.subscribe(destination, (message) => waiting.length ? waiting.shift()(message) : come.push(message), headers);
    return () => new Promise((take) => come.length ? take(come.shift()) : waiting.push(take));
  };
  const say = (destination, body, headers) => client.publish({ destination, body, headers });
  const heard = [];
  const echo = subscribe("/user/queue/echo");
  say("/app/echo", "to the application");
  heard.push((await echo()).body);
  const topic = subscribe("/topic/x");
  say("/topic/x", "grüße", { odd: "b:c" });
  const message = await topic();
  heard.push(message.body, message.headers.odd);
  const own = subscribe("/user/queue/private");
  say("/user/bob/queue/private", "to a user");
  heard.push((await own()).body);
  const queue = `/queue/${crypto.randomUUID()}`;
  const work = subscribe(queue, { ack: "client-individual" });
  say(queue, "1");
  say(queue, "2");
  const [first, second] = [await work(), await work()];
  first.nack();
  const again = await work();
  heard.push(`again ${again.body}`);
  again.ack();
  second.ack();
  const transaction = client.begin();
  say("/topic/x", "committed", { transaction: transaction.id });
  transaction.commit();
  heard.push((await topic()).body);
  await new Promise((received) => {
    client.watchForReceipt("r", received);
    say("/topic/x", "with a receipt", { receipt: "r" });
  });
  await client.deactivate();
  return heard;
})().then(done, (error) => done(String(error.stack)));
"""


@pytest.mark.parametrize("client", given("STOMPJS"))
@pytest.mark.parametrize("over", ["websocket", "sockjs", "xhr"])
def test_stompjs(driver, client, over, tmp_path):
    shutil.copy(client, tmp_path / "stomp.js")
    server = serve("--files", str(tmp_path), "--sockjs-file", CLIENT)
    try:
        driver.get(server.url)
        heard = driver.execute_async_script(STOMP, over)
    finally:
        assert server.stop() == 0
    assert heard == ["to the application", "grüße", "b:c", "to a user", "again 1", "committed"], heard


WHIP = """
const [token, done] = arguments;
const until = async (condition) => {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
};
const connected = (peer) => until(() => peer.connectionState === "connected");
(async () => {
  const { WHIPClient } = await import("/static/whip.js");
  const { WHEPClient } = await import("/static/whep.js");
  const refused = await new WHIPClient().publish(new RTCPeerConnection(), "/whip/x", "guess").then(() => "", (error) => error.message);
  const media = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  const publisher = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of media.getTracks()) publisher.addTransceiver(track, { direction: "sendonly", streams: [media] });
  const whip = new WHIPClient();
  await whip.publish(publisher, new URL("/whip/script", location), token);
  await connected(publisher);
  let viewer, whep;
  // Nobody publishes until the server, too, sees the publisher connected.
  await until(async () => {
    viewer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (const kind of ["audio", "video"]) viewer.addTransceiver(kind, { direction: "recvonly" });
    whep = new WHEPClient();
    const problem = await whep.view(viewer, new URL("/whep/script", location)).then(() => null, (error) => error);
    if (problem && !problem.message.endsWith("409")) throw problem;
    return !problem;
  });
  await connected(viewer);
  const frames = async () => [...(await viewer.getStats()).values()].find((each) => each.type === "inbound-rtp" && each.kind === "video")
    ?.framesDecoded ?? 0;
  await until(async () => await frames() > 15);
  // ICE anew by PATCH, on either side.
  for (const [client, peer] of [[whip, publisher], [whep, viewer]]) {
    const before = peer.currentRemoteDescription.sdp;
    await client.restart();
    await until(() => peer.currentRemoteDescription.sdp !== before);
    await connected(peer);
    const seen = await frames();
    await until(async () => await frames() > seen + 15);
  }
  const resources = [whip.resourceURL.href, whep.resourceURL.href];
  await whep.stop();
  await whip.stop();
  return { refused, resources };
})().then(done, (error) => done(String(error.stack)));
"""


@pytest.mark.parametrize("client", given("WHIP_WHEP"))
def test_whip_whep(driver, client):
    server = Server([
        *swift_binary("signaling-server"), "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--token", TOKEN, "--files", str(client)
    ])
    try:
        driver.get(server.url)
        outcome = driver.execute_async_script(WHIP, TOKEN)
        assert isinstance(outcome, dict), outcome
        assert outcome["refused"].endswith("401"), outcome
        for resource in outcome["resources"]:
            assert request(resource, "DELETE", {"Authorization": f"Bearer {TOKEN}"})[0] == 404, resource
    finally:
        assert server.stop() == 0
