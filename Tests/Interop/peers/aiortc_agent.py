"""aiortc as an agent (PROTOCOL.md)."""

import asyncio
import base64
import fractions
import json
import sys
import time

import aioice.ice
import aiortc
import av
import numpy
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from wire import Tally, describe, pattern, payload_of

HIGH_WATER = 1 << 20

_host_addresses = aioice.ice.get_host_addresses


def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """aioice leaves loopback out, which a machine without another interface cannot spare."""
    return _host_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]


aioice.ice.get_host_addresses = host_addresses


def emit(line: dict) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class NotFoundError(Exception):
    pass


class Channel:
    def __init__(self, peer: "Peer", name: str, channel) -> None:
        self.peer = peer
        self.name = name
        self.channel = channel
        self.mode = "each"
        self.tally = Tally()
        self.wanted = 0
        self.opened = False
        self.low = asyncio.Event()
        channel.bufferedAmountLowThreshold = HIGH_WATER // 4
        channel.on("open", self.on_open)
        channel.on("message", self.on_message)
        channel.on("close", lambda: self.emit("close"))
        channel.on("close", self.low.set)
        channel.on("bufferedamountlow", self.low.set)

    def emit(self, event: str, **members) -> None:
        self.peer.emit(event, ch=self.name, **members)

    def members(self) -> dict:
        channel = self.channel
        return {
            "label": channel.label,
            "protocol": channel.protocol,
            "ordered": channel.ordered,
            "maxRetransmits": channel.maxRetransmits,
            "maxPacketLifeTime": channel.maxPacketLifeTime,
            "negotiated": channel.negotiated,
            "channelId": channel.id,
        }

    def on_open(self) -> None:
        if not self.opened:
            self.opened = True
            self.emit("open", channelId=self.channel.id)

    def on_message(self, message) -> None:
        kind, payload = payload_of(message)
        if self.mode == "echo":
            self.channel.send(message)
        elif self.mode == "tally":
            self.tally.add(kind, payload)
            if self.tally.count == self.wanted:
                self.emit("tally", **self.tally.members())
        else:
            self.emit("message", **describe(kind, payload))

    async def room(self) -> None:
        while self.channel.bufferedAmount > HIGH_WATER and self.channel.readyState == "open":
            self.low.clear()
            await self.low.wait()


class Picture(VideoStreamTrack):
    """One colour."""

    async def recv(self):
        frame = av.VideoFrame.from_ndarray(numpy.full((240, 320, 3), (200, 40, 40), numpy.uint8), format="rgb24")
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


class Tone(MediaStreamTrack):
    """440 Hz, in frames of 20 ms."""

    kind = "audio"
    rate = 48000

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self.start = time.monotonic()

    async def recv(self):
        await asyncio.sleep(max(0, self.start + self.position / self.rate - time.monotonic()))
        samples = numpy.arange(self.position, self.position + 960)
        wave = (numpy.sin(samples * (2 * numpy.pi * 440 / self.rate)) * 12000).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self.position, fractions.Fraction(1, self.rate)
        self.position += 960
        return frame


def look(frame) -> dict:
    if isinstance(frame, av.VideoFrame):
        picture = frame.to_ndarray(format="rgb24")
        return {"colour": [int(value) for value in picture[picture.shape[0] // 2, picture.shape[1] // 2]]}
    sound = frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)].astype(float)
    # The distance of zero crossings is precise enough for a pure tone.
    crossings = numpy.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0))
    if len(crossings) < 2:
        return {"pitch": 0}
    return {"pitch": float(frame.sample_rate * (len(crossings) - 1) / (crossings[-1] - crossings[0]))}


class Peer:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False
        self.incoming = 0
        self.channels: dict[str, Channel] = {}
        self.media: dict[str, dict] = {}
        self.tasks: list[asyncio.Future] = []
        self.watched = False
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for event, of, attribute in (
            ("signalingstatechange", "signaling", "signalingState"),
            ("icegatheringstatechange", "gathering", "iceGatheringState"),
            ("iceconnectionstatechange", "ice", "iceConnectionState"),
            ("connectionstatechange", "connection", "connectionState"),
        ):
            self.pc.on(event, lambda of=of, attribute=attribute: self.emit("state", of=of, value=getattr(self.pc, attribute)))
        self.pc.on("datachannel", self.on_channel)

    def watch(self) -> None:
        """Looks at the frames of the tracks that come."""
        if self.watched:
            return
        self.watched = True

        async def read(track) -> None:
            seen = self.media[track.kind] = {"frames": 0}
            while True:
                try:
                    frame = await track.recv()
                except MediaStreamError:
                    return
                seen.update(look(frame), frames=seen["frames"] + 1)

        self.pc.on("track", lambda track: self.tasks.append(asyncio.ensure_future(read(track))))

    def emit(self, event: str, **members) -> None:
        if not self.closed:
            emit({"event": event, "pc": self.name, **members})

    def on_channel(self, incoming) -> None:
        self.incoming += 1
        channel = Channel(self, f"in{self.incoming}", incoming)
        self.channels[channel.name] = channel
        channel.emit("channel", **channel.members())
        # aiortc opens an incoming channel before it tells of it.
        channel.on_open()


class Agent:
    def __init__(self) -> None:
        self.peers: dict[str, Peer] = {}

    def peer(self, request: dict) -> Peer:
        if request["pc"] not in self.peers:
            raise NotFoundError(f"no peer {request['pc']}")
        return self.peers[request["pc"]]

    def channel(self, request: dict) -> Channel:
        channels = self.peer(request).channels
        if request["ch"] not in channels:
            raise NotFoundError(f"no channel {request['ch']}")
        return channels[request["ch"]]

    async def handle(self, request: dict) -> None:
        try:
            operation = getattr(self, "op_" + request["op"], None)
            if operation is None:
                raise NotFoundError(f"no operation {request['op']}")
            emit({"id": request["id"], "ok": await operation(request) or {}})
        except Exception as error:
            name = type(error).__name__
            if name == "ValueError":
                name = "TypeError"
            emit({"id": request["id"], "error": {"name": name, "message": str(error)}})

    async def op_hello(self, request):
        features = ["remoteMaxMessageSize", "maxSend=262144", "maxReceive=262144"]
        return {"name": "aiortc", "version": aiortc.__version__, "features": features}

    async def op_createPeer(self, request):
        self.peers[request["pc"]] = Peer(request["pc"])

    async def op_closePeer(self, request):
        peer = self.peer(request)
        del self.peers[request["pc"]]
        peer.closed = True
        for channel in peer.channels.values():
            channel.low.set()
        await peer.pc.close()

    async def op_createOffer(self, request):
        offer = await self.peer(request).pc.createOffer()
        return {"type": offer.type, "sdp": offer.sdp}

    async def op_createAnswer(self, request):
        answer = await self.peer(request).pc.createAnswer()
        return {"type": answer.type, "sdp": answer.sdp}

    async def op_setLocalDescription(self, request):
        peer = self.peer(request)
        await peer.pc.setLocalDescription(RTCSessionDescription(sdp=request["sdp"], type=request["type"]))
        peer.emit("candidate", candidate=None)

    async def op_setRemoteDescription(self, request):
        description = RTCSessionDescription(sdp=request["sdp"], type=request["type"])
        await self.peer(request).pc.setRemoteDescription(description)

    async def op_addIceCandidate(self, request):
        line = request.get("candidate")
        if not line:
            return await self.peer(request).pc.addIceCandidate(None)
        candidate = candidate_from_sdp(line.removeprefix("candidate:"))
        candidate.sdpMid = request.get("sdpMid")
        candidate.sdpMLineIndex = request.get("sdpMLineIndex")
        await self.peer(request).pc.addIceCandidate(candidate)

    async def op_getLocalDescription(self, request):
        description = self.peer(request).pc.localDescription
        return {"type": description.type, "sdp": description.sdp}

    async def op_createDataChannel(self, request):
        peer = self.peer(request)
        channel = peer.pc.createDataChannel(
            request["label"],
            maxPacketLifeTime=request.get("maxPacketLifeTime"),
            maxRetransmits=request.get("maxRetransmits"),
            ordered=request.get("ordered") is not False,
            protocol=request.get("protocol") or "",
            negotiated=bool(request.get("negotiated")),
            id=request.get("channelId"),
        )
        peer.channels[request["ch"]] = Channel(peer, request["ch"], channel)
        if channel.readyState == "open":
            peer.channels[request["ch"]].on_open()

    async def op_sendMedia(self, request):
        peer = self.peer(request)
        peer.watch()
        peer.pc.addTrack(Picture() if request["kind"] == "video" else Tone())

    async def op_getMedia(self, request):
        return self.peer(request).media.get(request["kind"], {"frames": 0})

    async def op_addTransceiver(self, request):
        self.peer(request).pc.addTransceiver(request["kind"], direction=request["direction"])

    async def op_getTransceivers(self, request):
        return {
            "transceivers": [
                {
                    "kind": transceiver.kind,
                    "mid": transceiver.mid,
                    "direction": transceiver.direction,
                    "currentDirection": transceiver.currentDirection,
                }
                for transceiver in self.peer(request).pc.getTransceivers()
            ]
        }

    async def op_receive(self, request):
        channel = self.channel(request)
        channel.mode = request["mode"]
        channel.tally = Tally()
        channel.wanted = request.get("count") or 0

    async def op_send(self, request):
        channel = self.channel(request)
        data = request["data"] if request["kind"] == "text" else base64.b64decode(request["data"])
        channel.channel.send(data)

    async def op_sendPattern(self, request):
        channel = self.channel(request)
        first = request.get("first") or 0
        for number in range(first, first + request["count"]):
            payload = pattern(request["kind"], number, request["size"])
            await channel.room()
            channel.channel.send(payload.decode() if request["kind"] == "text" else payload)

    async def op_closeChannel(self, request):
        self.channel(request).channel.close()

    async def op_getChannel(self, request):
        channel = self.channel(request)
        return {
            "readyState": channel.channel.readyState,
            "bufferedAmount": channel.channel.bufferedAmount,
            **channel.members(),
        }

    async def op_getState(self, request):
        pc = self.peer(request).pc
        return {
            "signaling": pc.signalingState,
            "gathering": pc.iceGatheringState,
            "ice": pc.iceConnectionState,
            "connection": pc.connectionState,
        }


async def main() -> None:
    agent = Agent()
    reader = asyncio.StreamReader(limit=16 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    # Descriptions and sends keep their order; a task each lets one that waits not hold up the others.
    tasks = set()
    chains: dict[str, asyncio.Task] = {}
    while line := await reader.readline():
        request = json.loads(line)
        before = chains.get(request.get("pc", "")) if "Description" in request["op"] else None

        async def run(request=request, before=before):
            if before is not None:
                await asyncio.wait([before])
            await agent.handle(request)

        task = asyncio.ensure_future(run())
        if "Description" in request["op"]:
            chains[request.get("pc", "")] = task
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    for peer in list(agent.peers.values()):
        peer.closed = True
        await peer.pc.close()


asyncio.run(main())
