"""WHIP and WHEP by aiortc: a publisher, a viewer and a server of RFC 9725 that is no one's but the tests'."""

from __future__ import annotations

import asyncio
import re
import secrets
import threading

import aioice.ice
import aiohttp
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp
from yarl import URL

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Loop:
    """An event loop on a thread of its own, for tests that are not asynchronous."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine, timeout: float = 60):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)


class FrameCounter:
    """Counts frames of tracks, and the pictures among them that differ from the one before."""

    def __init__(self) -> None:
        self.frames = {"audio": 0, "video": 0}
        self.changes = 0
        self.size = None
        self._last = None
        self._tasks: set[asyncio.Task] = set()

    def add(self, track) -> None:
        task = asyncio.ensure_future(self._consume(track))
        self._tasks.add(task)

    async def _consume(self, track) -> None:
        try:
            while True:
                frame = await track.recv()
                self.frames[track.kind] += 1
                if track.kind == "video":
                    self.size = (frame.width, frame.height)
                    picture = bytes(frame.planes[0])[::997]
                    self.changes += picture != self._last
                    self._last = picture
        except Exception:
            return


class Client:
    """One session at a server: POST, and DELETE in the end. aiortc gathers before it offers."""

    def __init__(self, url: str, token: str | None = None, tls=True) -> None:
        self.url, self.tls = url, tls
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.counter = FrameCounter()
        self.peer.on("track", self.counter.add)
        self.response = None
        self.location = None

    async def publish(self) -> None:
        self.peer.addTrack(AudioStreamTrack())
        self.peer.addTrack(VideoStreamTrack())
        await self._open()

    async def watch(self) -> None:
        self.peer.addTransceiver("audio", direction="recvonly")
        self.peer.addTransceiver("video", direction="recvonly")
        await self._open()

    async def _open(self) -> None:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        async with aiohttp.ClientSession() as session:
            offer = self.peer.localDescription.sdp
            headers = {**self.headers, "Content-Type": SDP}
            async with session.post(self.url, data=offer.encode(), headers=headers, ssl=self.tls) as response:
                text = await response.text()
                assert response.status == 201, (response.status, text)
                self.response = response.headers
                self.location = response.url.join(URL(response.headers["Location"]))
        await self.peer.setRemoteDescription(RTCSessionDescription(text, "answer"))

    async def close(self) -> int:
        async with aiohttp.ClientSession() as session:
            async with session.delete(self.location, headers=self.headers, ssl=self.tls) as response:
                status = response.status
        await self.peer.close()
        return status


class WHIPServer:
    """A server of RFC 9725: a session is an aiortc peer. It takes candidates, and no restarts, which aiortc has not. `/busy` asks for
    patience first, `/moved` is elsewhere, `/secret` wants a token, `/plain` has no entity-tags and takes no PATCH.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, dict] = {}
        self.log: list[tuple[str, str, int]] = []
        self.counter = FrameCounter()
        self.busy = 2
        self.url = None
        self._runner = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self._note])
        for path in ("/whip", "/secret", "/busy"):
            app.router.add_post(path, self._post)
        app.router.add_post("/moved", self._moved)
        app.router.add_post("/plain", self._post)
        app.router.add_patch("/sessions/{id}", self._patch)
        app.router.add_delete("/sessions/{id}", self._delete)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        for session in list(self.sessions.values()):
            await session["peer"].close()
        await self._runner.cleanup()

    @web.middleware
    async def _note(self, request, handler):
        response = await handler(request)
        self.log.append((request.method, request.path, response.status))
        return response

    async def _moved(self, request):
        return web.Response(status=307, headers={"Location": "whip"})

    async def _post(self, request):
        if request.path == "/secret" and request.headers.get("Authorization") != "Bearer sesame":
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"}, text="who?")
        if request.path == "/busy" and self.busy:
            self.busy -= 1
            return web.Response(status=503, headers={"Retry-After": "1"})
        if request.content_type != SDP:
            return web.Response(status=415)
        offer = await request.text()
        if not re.search(r"^a=sendonly", offer, re.M) or "a=rtcp-mux-only" not in offer:
            return web.Response(status=422, text="no WHIP offer")
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peer.on("track", self.counter.add)
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        name, tag = secrets.token_hex(16), f'"{secrets.token_hex(4)}"'
        plain = request.path == "/plain"
        self.sessions[name] = {"peer": peer, "tag": None if plain else tag, "candidates": [], "complete": False}
        headers = {"Location": f"sessions/{name}"}
        if not plain:
            headers["ETag"] = tag
        return web.Response(status=201, text=peer.localDescription.sdp, content_type=SDP, headers=headers)

    async def _patch(self, request):
        session = self.sessions.get(request.match_info["id"])
        if session is None:
            return web.Response(status=404)
        if session["tag"] is None:
            return web.Response(status=405)
        if request.content_type != FRAGMENT:
            return web.Response(status=415)
        match = request.headers.get("If-Match")
        if match is None:
            return web.Response(status=428)
        if match == "*":
            return web.Response(status=422, text="no restarts here")
        if match != session["tag"]:
            return web.Response(status=412)
        for line in (await request.text()).splitlines():
            if line.startswith("a=candidate:"):
                session["candidates"].append(line)
                candidate = candidate_from_sdp(line[len("a=candidate:"):])
                candidate.sdpMid, candidate.sdpMLineIndex = "0", 0
                await session["peer"].addIceCandidate(candidate)
            if line == "a=end-of-candidates":
                session["complete"] = True
                await session["peer"].addIceCandidate(None)
        return web.Response(status=204)

    async def _delete(self, request):
        session = self.sessions.pop(request.match_info["id"], None)
        if session is None:
            return web.Response(status=404)
        await session["peer"].close()
        return web.Response(status=200)
