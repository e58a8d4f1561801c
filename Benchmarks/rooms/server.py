"""Rooms over WebSocket in Python with websockets: the protocol of RTCRooms, without resumption and limits, to measure beside it."""

import asyncio
import contextlib
import json
import resource
import secrets

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

ACKNOWLEDGE_AFTER = 16
rooms: dict[str, dict[str, "Member"]] = {}


class Member:
    def __init__(self, socket):
        self.socket, self.id, self.metadata = socket, secrets.token_hex(16), {}
        self.sent = self.received = self.due = 0
        self.timer = None

    async def deliver(self, tail: str) -> None:
        self.sent += 1
        await self.say('{"number":%d,%s' % (self.sent, tail))

    async def say(self, text: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(text)

    async def acknowledge(self) -> None:
        self.due, self.timer = 0, None
        await self.say('{"type":"ack","received":%d}' % self.received)

    async def took(self, number: int) -> None:
        self.received = number
        self.due += 1
        if self.due >= ACKNOWLEDGE_AFTER:
            self.timer.cancel()
            await self.acknowledge()
        elif self.timer is None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(1, lambda: loop.create_task(self.acknowledge()))


async def member(socket) -> None:
    me, room = Member(socket), None
    try:
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "join":
                me.metadata = frame.get("metadata", {})
                room = rooms.setdefault(frame["room"], {})
                others = list(room.values())
                room[me.id] = me
                await socket.send(json.dumps({
                    "type": "welcome", "member": me.id, "metadata": me.metadata, "token": secrets.token_hex(16),
                    "members": [{"id": other.id, "metadata": other.metadata} for other in others],
                    "resumeMilliseconds": 30000,
                }))
                tail = '"type":"joined","member":%s}' % json.dumps({"id": me.id, "metadata": me.metadata})
                for other in others:
                    await other.deliver(tail)
            elif frame["type"] == "send":
                await me.took(frame["number"])
                tail = '"type":"message","from":"%s","message":%s}' % (me.id, json.dumps(frame["message"]))
                to = frame.get("to")
                for other in [room.get(to)] if to else [one for one in room.values() if one is not me]:
                    if other:
                        await other.deliver(tail)
            elif frame["type"] == "leave":
                break
    finally:
        if room is not None:
            del room[me.id]
            for other in list(room.values()):
                await other.deliver('"type":"left","member":"%s","reason":"left"}' % me.id)


async def main() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    async with serve(member, "127.0.0.1", 0, compression=None, backlog=1024) as server:
        print("ws://127.0.0.1:%d/rooms" % server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
