// Rooms over WebSocket in Node with ws: the protocol of RTCRooms, without resumption and limits, to measure beside it.
const { randomBytes } = require("crypto");
const { WebSocketServer } = require("ws");

const ACKNOWLEDGE_AFTER = 16;
const rooms = new Map();

class Member {
  constructor(socket) {
    Object.assign(this, { socket, id: randomBytes(16).toString("hex"), metadata: {}, sent: 0, received: 0, due: 0, timer: null });
  }
  deliver(tail) {
    this.sent += 1;
    this.socket.send(`{"number":${this.sent},${tail}`);
  }
  acknowledge() {
    clearTimeout(this.timer);
    [this.due, this.timer] = [0, null];
    this.socket.send(`{"type":"ack","received":${this.received}}`);
  }
  took(number) {
    this.received = number;
    this.due += 1;
    if (this.due >= ACKNOWLEDGE_AFTER) this.acknowledge();
    else this.timer ??= setTimeout(() => this.acknowledge(), 1000);
  }
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, backlog: 1024 });
server.on("listening", () => console.log(`ws://127.0.0.1:${server.address().port}/rooms`));
server.on("connection", (socket) => {
  const me = new Member(socket);
  let room = null;
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.type === "join") {
      if (!rooms.has(frame.room)) rooms.set(frame.room, new Map());
      room = rooms.get(frame.room);
      me.metadata = frame.metadata ?? {};
      const others = [...room.values()];
      room.set(me.id, me);
      socket.send(JSON.stringify({
        type: "welcome", member: me.id, metadata: me.metadata, token: randomBytes(16).toString("hex"),
        members: others.map(({ id, metadata }) => ({ id, metadata })), resumeMilliseconds: 30000,
      }));
      const tail = `"type":"joined","member":${JSON.stringify({ id: me.id, metadata: me.metadata })}}`;
      for (const other of others) other.deliver(tail);
    } else if (frame.type === "send") {
      me.took(frame.number);
      const tail = `"type":"message","from":"${me.id}","message":${JSON.stringify(frame.message)}}`;
      const others = frame.to ? [room.get(frame.to)].filter(Boolean) : [...room.values()].filter((one) => one !== me);
      for (const other of others) other.deliver(tail);
    } else if (frame.type === "leave") {
      socket.close();
    }
  });
  socket.on("close", () => {
    clearTimeout(me.timer);
    room?.delete(me.id);
    for (const other of room?.values() ?? []) other.deliver(`"type":"left","member":"${me.id}","reason":"left"}`);
  });
});
