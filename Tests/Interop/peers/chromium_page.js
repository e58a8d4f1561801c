"use strict";
// A browser as an agent (PROTOCOL.md).

const highWater = 1 << 20;
const peers = new Map();

// MARK: Lines

let outgoing = [];
let posting = false;

function emit(line) {
  outgoing.push(JSON.stringify(line));
  if (!posting) post();
}

async function post() {
  posting = true;
  while (outgoing.length > 0) {
    const body = outgoing.join("\n");
    outgoing = [];
    await fetch("/lines", { method: "POST", body });
  }
  posting = false;
}

async function listen() {
  for (;;) {
    const text = await (await fetch("/requests", { cache: "no-store" })).text();
    for (const line of text.split("\n")) if (line !== "") answer(JSON.parse(line));
  }
}

async function answer(request) {
  try {
    const operation = operations[request.op];
    if (!operation) throw new DOMException("no operation " + request.op, "NotFoundError");
    emit({ id: request.id, ok: (await operation(request)) || {} });
  } catch (error) {
    emit({ id: request.id, error: { name: error.name, message: error.message } });
  }
}

// MARK: Bytes

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes, previous = 0) {
  let sum = ~previous;
  for (let index = 0; index < bytes.length; index += 1) sum = crcTable[(sum ^ bytes[index]) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const fromBase64 = text => Uint8Array.from(atob(text), character => character.charCodeAt(0));
const toBase64 = bytes => btoa(String.fromCharCode(...bytes));

function pattern(kind, number, size) {
  const payload = new Uint8Array(size);
  const text = kind === "text";
  for (let index = 0; index < size; index += 1) {
    const value = number * 31 + index * 7 + (index >> 8) * 13;
    payload[index] = text ? 32 + value % 95 : value;
  }
  if (text && size >= 8) payload.set(encoder.encode(String(number).padStart(8, "0")));
  if (!text && size >= 4) new DataView(payload.buffer).setUint32(0, number);
  return text ? decoder.decode(payload) : payload;
}

// MARK: Peers and channels

function find(request) {
  const peer = peers.get(request.pc);
  if (!peer) throw new DOMException("no peer " + request.pc, "NotFoundError");
  return peer;
}

function findChannel(request) {
  const channel = find(request).channels.get(request.ch);
  if (!channel) throw new DOMException("no channel " + request.ch, "NotFoundError");
  return channel;
}

function findTransceiver(request) {
  const transceiver = find(request).pc.getTransceivers().find(({ mid }) => mid === request.mid);
  if (!transceiver) throw new DOMException("no transceiver " + request.mid, "NotFoundError");
  return transceiver;
}

function makeSentPicture({ colour, size }) {
  const picture = makePicture(...(size || [320, 240]));
  if (colour) picture.colour = `rgb(${colour})`;
  return picture.track;
}

function makePeer(name, configuration) {
  const pc = new RTCPeerConnection(configuration ?? {});
  const peer = { name, pc, channels: new Map(), incoming: 0, closed: false };
  peer.emit = (event, members) => { if (!peer.closed) emit({ event, pc: name, ...members }); };
  for (const [event, of, attribute] of [
    ["signalingstatechange", "signaling", "signalingState"],
    ["icegatheringstatechange", "gathering", "iceGatheringState"],
    ["iceconnectionstatechange", "ice", "iceConnectionState"],
    ["connectionstatechange", "connection", "connectionState"],
  ]) {
    pc.addEventListener(event, () => peer.emit("state", { of, value: pc[attribute] }));
  }
  pc.addEventListener("negotiationneeded", () => peer.emit("negotiationneeded"));
  pc.addEventListener("track", ({ track, transceiver }) => {
    peer.emit("track", { kind: track.kind, mid: transceiver.mid });
    if (transceiver.isHeard) return;
    transceiver.isHeard = true;
    for (const event of ["mute", "unmute", "ended"]) {
      track.addEventListener(event, () => peer.emit(event, { kind: track.kind, mid: transceiver.mid }));
    }
  });
  pc.addEventListener("icecandidate", ({ candidate }) => {
    if (candidate === null) return peer.emit("candidate", { candidate: null });
    // The empty candidate ends one generation; null, which follows, ends them all.
    if (candidate.candidate === "") return;
    const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
    peer.emit("candidate", { candidate: candidate.candidate, sdpMid, sdpMLineIndex, usernameFragment });
  });
  pc.addEventListener("datachannel", ({ channel }) => {
    peer.incoming += 1;
    const made = makeChannel(peer, "in" + peer.incoming, channel);
    made.emit("channel", describe(channel));
  });
  peers.set(name, peer);
}

function makeChannel(peer, name, dc) {
  const channel = { dc, mode: "each", wanted: 0, count: 0, bytes: 0, sum: 0 };
  channel.emit = (event, members) => peer.emit(event, { ch: name, ...members });
  dc.binaryType = "arraybuffer";
  dc.bufferedAmountLowThreshold = highWater / 4;
  dc.addEventListener("open", () => channel.emit("open", { channelId: dc.id }));
  dc.addEventListener("close", () => channel.emit("close"));
  dc.addEventListener("message", ({ data }) => receive(channel, data));
  peer.channels.set(name, channel);
  return channel;
}

function describe(dc) {
  return {
    label: dc.label, protocol: dc.protocol, ordered: dc.ordered, maxRetransmits: dc.maxRetransmits,
    maxPacketLifeTime: dc.maxPacketLifeTime, negotiated: dc.negotiated, channelId: dc.id,
  };
}

function receive(channel, data) {
  if (channel.mode === "echo") return channel.dc.send(data);
  const kind = typeof data === "string" ? "text" : "binary";
  const payload = kind === "text" ? encoder.encode(data) : new Uint8Array(data);
  if (channel.mode === "tally") {
    const head = new Uint8Array(5);
    head[0] = kind.charCodeAt(0);
    new DataView(head.buffer).setUint32(1, payload.length);
    channel.sum = crc32(payload, crc32(head, channel.sum));
    channel.count += 1;
    channel.bytes += payload.length;
    if (channel.count === channel.wanted) {
      channel.emit("tally", { count: channel.count, bytes: channel.bytes, crc32: channel.sum });
    }
    return;
  }
  const members = { kind, size: payload.length, crc32: crc32(payload) };
  if (payload.length <= 256) members.data = toBase64(payload);
  channel.emit("message", members);
}

function room(dc) {
  return new Promise(resolve => {
    dc.addEventListener("bufferedamountlow", resolve, { once: true });
    dc.addEventListener("close", resolve, { once: true });
    if (dc.bufferedAmount <= dc.bufferedAmountLowThreshold || dc.readyState !== "open") resolve();
  });
}

function side(candidate) {
  if (!candidate) return {};
  return {
    type: candidate.candidateType, protocol: candidate.protocol, address: candidate.address, port: candidate.port,
    relayProtocol: candidate.relayProtocol, url: candidate.url,
  };
}

const operations = {
  hello: () => ({
    name: "chromium", version: location.hash.slice(1),
    features: [
      "trickle", "iceRestart", "restartIce", "negotiationneeded", "selectedPair", "remoteMaxMessageSize",
      "maxSend=262144", "maxReceive=262144",
    ],
  }),
  createPeer: ({ pc, configuration }) => makePeer(pc, configuration),
  closePeer: request => {
    const peer = find(request);
    peer.closed = true;
    peers.delete(request.pc);
    const { pc } = peer;
    const sent = pc.getSenders().map(({ track }) => track);
    pc.close();
    // What nobody hears or sees any more would cost the tests that follow their time.
    for (const track of sent) track?.stop();
    for (const element of pc.elements?.values() ?? []) element.remove();
    pc.sound?.close();
  },
  createOffer: async request => {
    const { type, sdp } = await find(request).pc.createOffer({ iceRestart: request.iceRestart === true });
    return { type, sdp };
  },
  createAnswer: async request => {
    const { type, sdp } = await find(request).pc.createAnswer();
    return { type, sdp };
  },
  setLocalDescription: request => {
    const { pc } = find(request);
    return request.type ? pc.setLocalDescription({ type: request.type, sdp: request.sdp }) : pc.setLocalDescription();
  },
  setRemoteDescription: request => find(request).pc.setRemoteDescription({ type: request.type, sdp: request.sdp }),
  addIceCandidate: request => {
    const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = request;
    if (candidate === null || candidate === undefined) return find(request).pc.addIceCandidate();
    return find(request).pc.addIceCandidate({ candidate, sdpMid, sdpMLineIndex, usernameFragment });
  },
  getLocalDescription: request => {
    const { type, sdp } = find(request).pc.localDescription;
    return { type, sdp };
  },
  restartIce: request => find(request).pc.restartIce(),
  createDataChannel: request => {
    const peer = find(request);
    const init = {};
    for (const member of ["ordered", "maxRetransmits", "maxPacketLifeTime", "protocol", "negotiated"]) {
      if (request[member] !== null && request[member] !== undefined) init[member] = request[member];
    }
    if (typeof request.channelId === "number") init.id = request.channelId;
    makeChannel(peer, request.ch, peer.pc.createDataChannel(request.label, init));
  },
  sendMedia: request => {
    const { pc } = find(request);
    pc.sound = pc.sound || new AudioContext();
    const track = request.kind === "audio" ? makeTone(pc.sound, 440) : makeSentPicture(request);
    if (!request.rids) return void pc.addTrack(track, new MediaStream([track]));
    const count = request.rids.length;
    const sendEncodings = request.rids.map((rid, index) => ({ rid, scaleResolutionDownBy: 2 ** (count - 1 - index) }));
    pc.addTransceiver(track, { direction: "sendrecv", sendEncodings });
  },
  getMedia: async request => {
    const { pc } = find(request);
    const receiving = pc.getTransceivers().filter(({ mid, receiver }) =>
      mid !== null && (request.mid ? mid === request.mid : receiver.track.kind === request.kind)).pop();
    if (!receiving) return { frames: 0 };
    const { mid, receiver: { track } } = receiving;
    const inbound = (await statistics(pc, "inbound-rtp", track.kind)).find(entry => entry.mid === mid) || {};
    if (track.kind === "audio") {
      if (request.deep) pc.sound = pc.sound || new AudioContext();
      const pitch = request.deep && inbound.packetsReceived ? await pitchOf(pc.sound, track) : null;
      return { frames: inbound.packetsReceived || 0, pitch };
    }
    pc.elements = pc.elements || new Map();
    if (!pc.elements.has(track)) pc.elements.set(track, show(track));
    return { frames: inbound.framesDecoded || 0, colour: request.deep ? colourOf(pc.elements.get(track)) : null };
  },
  getSent: async request => {
    const sent = (await statistics(find(request).pc, "outbound-rtp")).filter(entry => entry.mid === request.mid);
    const total = member => sent.reduce((sum, entry) => sum + (entry[member] || 0), 0);
    return { frames: total("framesSent"), keyFrameRequests: total("pliCount") + total("firCount") };
  },
  setDirection: request => { findTransceiver(request).direction = request.direction; },
  stopTransceiver: request => findTransceiver(request).stop(),
  setTrack: async request => {
    const transceiver = findTransceiver(request);
    if (typeof request.enabled === "boolean") transceiver.sender.track.enabled = request.enabled;
    if (request.present === false) {
      transceiver.removed = transceiver.sender.track;
      await transceiver.sender.replaceTrack(null);
    } else if (request.present === true) {
      await transceiver.sender.replaceTrack(transceiver.removed);
    }
  },
  addTransceiver: request => {
    find(request).pc.addTransceiver(request.kind, { direction: request.direction });
  },
  getTransceivers: request => ({
    transceivers: find(request).pc.getTransceivers().map(transceiver => ({
      kind: transceiver.receiver.track.kind, mid: transceiver.mid, direction: transceiver.direction,
      currentDirection: transceiver.currentDirection, muted: transceiver.receiver.track.muted,
    })),
  }),
  receive: request => {
    const channel = findChannel(request);
    Object.assign(channel, { mode: request.mode, wanted: request.count || 0, count: 0, bytes: 0, sum: 0 });
  },
  send: request => {
    findChannel(request).dc.send(request.kind === "text" ? request.data : fromBase64(request.data));
  },
  sendPattern: async request => {
    const { dc } = findChannel(request);
    const first = request.first || 0;
    for (let number = first; number < first + request.count; number += 1) {
      while (dc.bufferedAmount > highWater && dc.readyState === "open") await room(dc);
      dc.send(pattern(request.kind, number, request.size));
    }
  },
  closeChannel: request => findChannel(request).dc.close(),
  getChannel: request => {
    const { dc } = findChannel(request);
    return { readyState: dc.readyState, bufferedAmount: dc.bufferedAmount, ...describe(dc) };
  },
  getState: request => {
    const { pc } = find(request);
    return {
      signaling: pc.signalingState, gathering: pc.iceGatheringState, ice: pc.iceConnectionState,
      connection: pc.connectionState,
    };
  },
  getStats: async request => {
    const report = await find(request).pc.getStats();
    for (const entry of report.values()) {
      const pair = entry.type === "transport" && report.get(entry.selectedCandidatePairId);
      if (!pair) continue;
      const [local, remote] = [report.get(pair.localCandidateId), report.get(pair.remoteCandidateId)];
      return { selectedPair: { local: side(local), remote: side(remote) } };
    }
    return { selectedPair: null };
  },
};

listen();
