"""An aiortc server with echo's HTTP interface: POST /offer answers, every message returns.

Prints its address when ready and ends on SIGTERM or SIGINT. `--alter N` flips a byte of the Nth message it returns, to
see that a caller notices.
"""

import argparse
import asyncio
import itertools
import json
import signal

import aioice.ice
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

LARGEST_BODY = 65536

_host_addresses = aioice.ice.get_host_addresses
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: _host_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]

peers: set[RTCPeerConnection] = set()


def refuse(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


async def offer(request: web.Request) -> web.Response:
    body = await request.content.read(LARGEST_BODY + 1)
    while len(body) <= LARGEST_BODY and (more := await request.content.read(LARGEST_BODY + 1)):
        body += more
    if len(body) > LARGEST_BODY:
        return refuse(413, "the body is larger than 64 KiB")
    try:
        message = json.loads(body)
        if message["type"] != "offer":
            return refuse(400, "type is not offer")
        description = RTCSessionDescription(sdp=message["sdp"], type="offer")
    except (ValueError, KeyError, TypeError) as error:
        return refuse(400, f"malformed JSON: {error}")
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.on("datachannel", lambda channel: on_channel(request.app, channel))
    try:
        await peer.setRemoteDescription(description)
        if not peer.sctp:
            raise ValueError("no application section")
        await peer.setLocalDescription(await peer.createAnswer())
    except Exception as error:
        await peer.close()
        return refuse(400, f"malformed SDP: {error}")
    peers.add(peer)

    @peer.on("connectionstatechange")
    async def changed() -> None:
        if peer.connectionState in ("failed", "closed"):
            peers.discard(peer)
            await peer.close()

    return web.json_response({"type": "answer", "sdp": peer.localDescription.sdp})


def on_channel(app: web.Application, channel) -> None:
    def on_message(message) -> None:
        if next(app["returned"]) == app["alter"] and message:
            altered = bytearray(message.encode() if isinstance(message, str) else message)
            altered[-1] ^= 1
            message = altered.decode(errors="replace") if isinstance(message, str) else bytes(altered)
        channel.send(message)

    channel.on("message", on_message)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", default="127.0.0.1:0")
    parser.add_argument("--page")
    parser.add_argument("--alter", type=int, default=0)
    options = parser.parse_args()
    host, _, port = options.http.rpartition(":")

    app = web.Application(client_max_size=1 << 30)
    app["returned"], app["alter"] = itertools.count(1), options.alter
    app.router.add_post("/offer", offer)
    if options.page:
        app.router.add_get("/", lambda _: web.Response(body=open(options.page, "rb").read(), content_type="text/html", charset="utf-8"))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, host, int(port))
    await site.start()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(f"http://{host}:{runner.addresses[0][1]}/", flush=True)
    await stop.wait()
    await runner.cleanup()
    await asyncio.gather(*(peer.close() for peer in list(peers)))


asyncio.run(main())
