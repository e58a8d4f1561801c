// Media in a page: a picture of one colour and a tone go to an echo server; what comes back is looked at and listened to.

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// A canvas whose colour can be changed, with something that moves in a corner so that frames differ.
function makePicture(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const picture = { colour: "rgb(200,40,40)", count: 0 };
  const timer = setInterval(() => {
    if (picture.track.readyState === "ended") return picture.stop();
    context.fillStyle = picture.colour;
    context.fillRect(0, 0, width, height);
    context.fillStyle = picture.count++ % 2 ? "white" : "black";
    context.fillRect((picture.count * 4) % 32, 0, 8, 8);
  }, 33);
  picture.track = canvas.captureStream(30).getVideoTracks()[0];
  picture.stop = () => clearInterval(timer);
  return picture;
}

function makeTone(context, hertz) {
  const oscillator = context.createOscillator();
  oscillator.frequency.value = hertz;
  const target = context.createMediaStreamDestination();
  oscillator.connect(target);
  oscillator.start();
  return target.stream.getAudioTracks()[0];
}

function prefer(transceiver, mimeType, parameters = {}) {
  const codecs = RTCRtpReceiver.getCapabilities(transceiver.sender.track?.kind ?? "video").codecs;
  const wanted = codecs.filter((codec) =>
    codec.mimeType.toLowerCase() === mimeType.toLowerCase()
    && Object.entries(parameters).every(([key, value]) => (codec.sdpFmtpLine ?? "").includes(`${key}=${value}`)));
  const helpers = codecs.filter((codec) => /rtx|red|ulpfec|flexfec/.test(codec.mimeType));
  if (!wanted.length) return false;
  transceiver.setCodecPreferences([...wanted, ...helpers]);
  return true;
}

async function exchange(pc) {
  await pc.setLocalDescription();
  if (pc.iceGatheringState !== "complete") {
    await new Promise((done) => pc.addEventListener("icegatheringstatechange",
      () => pc.iceGatheringState === "complete" && done()));
  }
  const reply = await fetch("/offer", { method: "POST", body: JSON.stringify(pc.localDescription) });
  if (!reply.ok) throw new Error(await reply.text());
  await pc.setRemoteDescription(await reply.json());
}

function show(track) {
  const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true });
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  video.play();
  return video;
}

// The colour in the middle of what a video shows.
function colourOf(video) {
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth || 1, height: video.videoHeight || 1 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  return [...context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data.slice(0, 3)];
}

const isNear = (colour, wanted) => colour.every((value, index) => Math.abs(value - wanted[index]) <= 50);

// Waits until a video shows a colour, and gives what it shows then, or last.
async function colourWhenNear(video, wanted) {
  await until(() => isNear(colourOf(video), wanted));
  return colourOf(video);
}

// The loudest frequency of a track, in hertz.
async function pitchOf(context, track) {
  // Chromium plays a remote track to Web Audio only if an element has it too.
  const player = Object.assign(new Audio(), { muted: true, srcObject: new MediaStream([track]) });
  player.play();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  source.connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount);
  let loudest = -1;
  let looked = -Infinity;
  // Silence has no loudest; a tone is the same in two windows after each other once it fills them.
  await until(() => {
    if (context.currentTime - looked < analyser.fftSize / context.sampleRate) return false;
    looked = context.currentTime;
    const before = loudest;
    analyser.getFloatFrequencyData(bins);
    loudest = bins.indexOf(Math.max(...bins));
    return Math.max(...bins) > -60 && loudest === before;
  });
  return loudest * context.sampleRate / analyser.fftSize;
}

async function statistics(pc, type, kind) {
  const report = await pc.getStats();
  return [...report.values()].filter((entry) => entry.type === type && (!kind || entry.kind === kind));
}

async function until(condition, milliseconds = 30000) {
  for (let waited = 0; waited < milliseconds; waited += 50) {
    const value = await condition();
    if (value) return value;
    await sleep(50);
  }
  return null;
}

// How many frames were sent, and how many of those that came back were decoded.
async function framesOf(pc) {
  const [inbound] = await statistics(pc, "inbound-rtp", "video");
  const [outbound] = await statistics(pc, "outbound-rtp", "video");
  return { sent: outbound?.framesSent ?? 0, decoded: inbound?.framesDecoded ?? 0 };
}

// Whether all came back but for a part and those of the beginning.
const nearlyAll = ({ sent, decoded }) => decoded > 0.9 * sent - 15;

// One call with sound and pictures; gives what was seen and heard of what came back.
async function echoCall({ mimeType, parameters, seconds = 3 }) {
  const context = new AudioContext();
  const picture = makePicture(320, 240);
  const pc = new RTCPeerConnection();
  const tracks = {};
  pc.ontrack = (event) => { tracks[event.track.kind] = event.track; };
  pc.addTransceiver(makeTone(context, 440), { direction: "sendrecv" });
  const video = pc.addTransceiver(picture.track, { direction: "sendrecv" });
  if (mimeType && !prefer(video, mimeType, parameters)) return { unsupported: true };
  await exchange(pc);
  const connected = await until(() => pc.connectionState === "connected");
  const element = show(tracks.video);
  const playing = await until(() => element.videoWidth > 0);
  await sleep(seconds * 1000);
  const first = await colourWhenNear(element, [200, 40, 40]);
  picture.colour = "rgb(40,60,200)";
  const second = await colourWhenNear(element, [40, 60, 200]);
  const pitch = await pitchOf(context, tracks.audio);
  // A report tells how long it took when the machine was busy; a later one how long it takes.
  await until(async () => (await statistics(pc, "remote-inbound-rtp", "video"))[0]?.roundTripTime < 0.5);
  const [remote] = await statistics(pc, "remote-inbound-rtp", "video");
  // What is under way still is not lost.
  picture.stop();
  await until(async () => nearlyAll(await framesOf(pc)));
  const [inbound] = await statistics(pc, "inbound-rtp", "video");
  const [outbound] = await statistics(pc, "outbound-rtp", "video");
  const codecs = await statistics(pc, "codec");
  pc.close();
  await context.close();
  element.remove();
  return {
    connected: !!connected, playing: !!playing, first, second, pitch,
    codec: codecs.find((entry) => entry.id === inbound?.codecId)?.mimeType,
    framesSent: outbound?.framesSent, framesDecoded: inbound?.framesDecoded, packetsLost: inbound?.packetsLost,
    roundTripTime: remote?.roundTripTime, target: outbound?.targetBitrate,
  };
}

// Many seconds over whatever network there is; counts what came back.
async function longCall({ seconds, width = 640, height = 480 }) {
  const context = new AudioContext();
  const picture = makePicture(width, height);
  const pc = new RTCPeerConnection();
  const tracks = {};
  pc.ontrack = (event) => { tracks[event.track.kind] = event.track; };
  pc.addTransceiver(makeTone(context, 440), { direction: "sendrecv" });
  const video = pc.addTransceiver(picture.track, { direction: "sendrecv" });
  prefer(video, "video/VP8");
  await exchange(pc);
  const connected = await until(() => pc.connectionState === "connected", 30000);
  const element = show(tracks.video);
  await sleep(seconds * 1000);
  picture.stop();
  await sleep(1500);
  const [inbound] = await statistics(pc, "inbound-rtp", "video");
  const [outbound] = await statistics(pc, "outbound-rtp", "video");
  const [sound] = await statistics(pc, "inbound-rtp", "audio");
  pc.close();
  return {
    connected: !!connected, framesSent: outbound?.framesSent, framesDecoded: inbound?.framesDecoded,
    framesReceived: inbound?.framesReceived, keyFrames: outbound?.keyFramesEncoded,
    nacksSent: inbound?.nackCount, nacksReceived: outbound?.nackCount, freezes: inbound?.freezeCount,
    soundLost: sound?.packetsLost, soundReceived: sound?.packetsReceived,
  };
}

// Three layers of one picture; says which of them the other side is sent.
async function simulcastCall() {
  const picture = makePicture(1280, 720);
  const pc = new RTCPeerConnection();
  let track = null;
  pc.ontrack = (event) => { track = event.track; };
  pc.addTransceiver(picture.track, {
    direction: "sendrecv",
    sendEncodings: [
      { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150000 },
      { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 400000 },
      { rid: "f", maxBitrate: 1200000 },
    ],
  });
  await exchange(pc);
  await until(() => pc.connectionState === "connected");
  const element = show(track);
  const sent = async () => (await statistics(pc, "outbound-rtp", "video")).map((entry) => ({
    rid: entry.rid, frames: entry.framesEncoded, width: entry.frameWidth }));
  // Chromium begins with the smallest layer, and adds the others as it finds that there is room for them.
  await until(async () => element.videoWidth === 320 && (await sent()).filter(({ frames }) => frames > 20).length === 3, 60000);
  const layers = await sent();
  const size = [element.videoWidth, element.videoHeight];
  picture.stop();
  pc.close();
  return { layers, size, sdp: pc.currentRemoteDescription?.sdp };
}

// Everything that can happen to a track in the middle of a call.
async function changingCall() {
  const picture = makePicture(320, 240);
  const other = makePicture(320, 240);
  other.colour = "rgb(30,200,30)";
  const pc = new RTCPeerConnection();
  const events = [];
  pc.ontrack = (event) => {
    events.push("track " + event.transceiver.mid);
    event.track.onmute = () => events.push("mute");
    event.track.onunmute = () => events.push("unmute");
    event.track.onended = () => events.push("ended");
    pc.lastTrack = event.track;
  };
  const video = pc.addTransceiver(picture.track, { direction: "sendrecv" });
  await exchange(pc);
  await until(() => pc.connectionState === "connected");
  const element = show(pc.lastTrack);
  const seen = { first: await colourWhenNear(element, [200, 40, 40]) };
  await video.sender.replaceTrack(other.track);
  seen.replaced = await colourWhenNear(element, [30, 200, 30]);
  const decoded = async () => (await statistics(pc, "inbound-rtp", "video"))[0]?.framesDecoded ?? 0;
  await video.sender.replaceTrack(null);
  let before = 0;
  // What was under way may come late.
  for (let attempt = 0; attempt < 10 && !(seen.withoutTrack <= 2); attempt += 1) {
    before = await decoded();
    await sleep(1000);
    seen.withoutTrack = (await decoded()) - before;
  }
  await video.sender.replaceTrack(picture.track);
  await until(async () => (await decoded()) - before > 15);
  seen.again = (await decoded()) - before;
  video.sender.track.enabled = true;
  return { seen, events, pc: (window.pc = pc) && undefined };
}

// Watches what a server plays, which is to be of a colour; gives colour and pitch of it.
async function watchCall({ shown }) {
  const context = new AudioContext();
  const pc = new RTCPeerConnection();
  const tracks = {};
  pc.ontrack = (event) => { tracks[event.track.kind] = event.track; };
  pc.addTransceiver("video", { direction: "recvonly" });
  pc.addTransceiver("audio", { direction: "recvonly" });
  await exchange(pc);
  const connected = await until(() => pc.connectionState === "connected");
  const element = show(tracks.video);
  const playing = await until(() => element.videoWidth > 0);
  await until(async () => (await framesOf(pc)).decoded > 60, 30000);
  const colour = await colourWhenNear(element, shown);
  const pitch = tracks.audio ? await pitchOf(context, tracks.audio) : null;
  const [inbound] = await statistics(pc, "inbound-rtp", "video");
  const codecs = await statistics(pc, "codec");
  pc.close();
  await context.close();
  return { connected: !!connected, playing: !!playing, colour, pitch, framesDecoded: inbound?.framesDecoded,
    codec: codecs.find((entry) => entry.id === inbound?.codecId)?.mimeType };
}

// Sends a picture and a tone for so long, both beginning at once; the picture takes one colour after another, each until enough
// of it is sent. Gives how many seconds that took.
async function sendCall({ seconds = 5, colours = [] }) {
  const context = new AudioContext();
  const picture = makePicture(320, 240);
  if (colours.length) picture.colour = `rgb(${colours[0]})`;
  const pc = new RTCPeerConnection();
  pc.addTransceiver(makeTone(context, 440), { direction: "sendonly" });
  pc.addTransceiver(picture.track, { direction: "sendonly" });
  await exchange(pc);
  const connected = await until(() => pc.connectionState === "connected", 30000);
  const began = performance.now();
  for (const colour of colours.length ? colours : [null]) {
    if (colour) picture.colour = `rgb(${colour})`;
    const { sent } = await framesOf(pc);
    await sleep(seconds * 1000 / (colours.length || 1));
    if (colour) await until(async () => (await framesOf(pc)).sent > sent + 30);
  }
  // The last colour is under way.
  if (colours.length) await sleep(1000);
  const { sent } = await framesOf(pc);
  const lasted = (performance.now() - began) / 1000;
  picture.stop();
  pc.close();
  await context.close();
  return { connected: !!connected, framesSent: sent, lasted };
}

// Sound and pictures with what is sent ahead of loss, redundant sound and repair packets, both ways over a network that loses packets.
async function protectedCall({ seconds }) {
  const context = new AudioContext();
  const picture = makePicture(640, 480);
  const pc = new RTCPeerConnection();
  const tracks = {};
  pc.ontrack = (event) => { tracks[event.track.kind] = event.track; };
  const sound = pc.addTransceiver(makeTone(context, 440), { direction: "sendrecv" });
  const video = pc.addTransceiver(picture.track, { direction: "sendrecv" });
  prefer(video, "video/VP8");
  const codecs = RTCRtpReceiver.getCapabilities("audio").codecs;
  const redundant = codecs.filter((codec) => codec.mimeType.toLowerCase() === "audio/red");
  sound.setCodecPreferences([...redundant, ...codecs.filter((codec) => codec.mimeType.toLowerCase() === "audio/opus")]);
  await exchange(pc);
  const connected = await until(() => pc.connectionState === "connected", 30000);
  show(tracks.video);
  const pitch = await pitchOf(context, tracks.audio);
  // What a start over such a network costs is not what protection is about.
  const [[decodedFirst], [sentFirst]] = [await statistics(pc, "inbound-rtp", "video"), await statistics(pc, "outbound-rtp", "video")];
  await sleep(seconds * 1000);
  const [heard] = await statistics(pc, "inbound-rtp", "audio");
  const [seen] = await statistics(pc, "inbound-rtp", "video");
  const [spoken] = await statistics(pc, "outbound-rtp", "audio");
  const [shown] = await statistics(pc, "outbound-rtp", "video");
  picture.stop();
  pc.close();
  await context.close();
  const count = (entry, names) => Object.fromEntries(names.map((name) => [name, entry?.[name]]));
  return {
    connected: !!connected, pitch, hasFlexFEC: /flexfec-03/.test(pc.currentRemoteDescription.sdp),
    heard: count(heard, ["packetsReceived", "packetsLost", "bytesReceived", "fecPacketsReceived", "fecPacketsDiscarded",
      "concealedSamples", "silentConcealedSamples", "totalSamplesReceived"]),
    spoken: count(spoken, ["packetsSent", "bytesSent"]),
    seen: count(seen, ["packetsReceived", "packetsLost", "fecPacketsReceived", "fecPacketsDiscarded", "framesDecoded",
      "nackCount", "pliCount", "firCount", "freezeCount", "totalFreezesDuration", "keyFramesDecoded",
      "retransmittedPacketsReceived"]),
    shown: count(shown, ["packetsSent", "retransmittedPacketsSent", "framesSent", "nackCount", "pliCount", "firCount",
      "keyFramesEncoded"]),
    framesSent: shown.framesSent - sentFirst.framesSent, framesDecoded: seen.framesDecoded - (decodedFirst?.framesDecoded ?? 0),
  };
}

// Sends a picture that flashes for 100 ms while a tone beeps, once a second of the sound's clock.
async function flashCall({ seconds }) {
  const context = new AudioContext();
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const drawing = canvas.getContext("2d");
  const [oscillator, gain, target] = [context.createOscillator(), context.createGain(), context.createMediaStreamDestination()];
  oscillator.frequency.value = 1000;
  gain.gain.value = 0;
  oscillator.connect(gain).connect(target);
  oscillator.start();
  const pc = new RTCPeerConnection();
  pc.addTransceiver(target.stream.getAudioTracks()[0], { direction: "sendonly" });
  pc.addTransceiver(canvas.captureStream(50).getVideoTracks()[0], { direction: "sendonly" });
  let start = Infinity;
  const timer = setInterval(() => {
    const phase = context.currentTime - start;
    drawing.fillStyle = phase >= 0 && phase % 1 < 0.1 ? "white" : "black";
    drawing.fillRect(0, 0, 160, 120);
  }, 5);
  await exchange(pc);
  const connected = await until(() => pc.connectionState === "connected", 30000);
  start = context.currentTime + 0.5;
  for (let second = 0; second < seconds; second += 1) {
    gain.gain.setValueAtTime(0.5, start + second);
    gain.gain.setValueAtTime(0, start + second + 0.1);
  }
  await sleep(seconds * 1000 + 500);
  clearInterval(timer);
  pc.close();
  await context.close();
  return { connected: !!connected };
}
