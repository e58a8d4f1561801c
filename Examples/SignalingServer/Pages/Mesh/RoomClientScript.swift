/// `/mesh/room-client.js`: a member of a room in JavaScript, which comes back by itself and loses nothing (Documentation/Rooms.md).
enum RoomClientScript {
    static let text = #"""
        "use strict";

        // Events: joined {others}, memberJoined {member}, memberLeft {id, reason}, message {from, message}, interrupted, resumed,
        // rejoined {others, because}, ended {refusal}.
        class RoomClient extends EventTarget {
            constructor(url, room, metadata = {}, credential = undefined) {
                super();
                Object.assign(this, { url, room, metadata, credential });
                this.members = new Map();
                this.member = null;
                this.queue = [];
                this.attempts = 0;
                this.isEnded = false;
            }

            start() {
                this.phase = "opening";
                const socket = this.socket = new WebSocket(this.url);
                socket.onopen = () => socket === this.socket && this.opened();
                socket.onmessage = (event) => socket === this.socket && this.receive(JSON.parse(event.data));
                socket.onclose = () => socket === this.socket && this.interrupted();
            }

            // The message is sent when there is a way; to everyone without a recipient.
            send(message, to = undefined) {
                if (!this.member || this.isEnded) throw new Error("not a member");
                if (this.queue.length >= 256) throw new Error("too many messages wait");
                const text = JSON.stringify({ type: "send", number: ++this.number, to, message });
                this.queue.push(text);
                if (this.phase === "joined") this.socket.send(text);
            }

            leave() {
                if (this.phase === "joined") this.socket.send('{"type":"leave"}');
                this.end(null);
            }

            // For tests: as if the network had gone.
            breakSocket() {
                const socket = this.socket;
                this.socket = null;
                socket.close();
                this.interrupted();
            }

            emit(type, detail = {}) { this.dispatchEvent(new CustomEvent(type, { detail })); }

            opened() {
                if (this.member) {
                    this.phase = "resuming";
                    this.write({ type: "resume", member: this.member, token: this.token, received: this.received });
                } else {
                    this.join();
                }
            }

            join() {
                this.phase = "joining";
                this.write({ type: "join", room: this.room, metadata: this.metadata, credential: this.credential });
            }

            write(frame) { this.socket.send(JSON.stringify(frame)); }

            interrupted() {
                if (this.isEnded || this.phase === "waiting") return;
                if (this.phase === "joined") {
                    this.emit("interrupted");
                    // Short delays again only after a channel that held, or over which something came.
                    if (performance.now() - this.settledAt >= 15000) this.attempts = 0;
                }
                this.phase = "waiting";
                const delay = Math.min(15000, 250 * 2 ** this.attempts++) * (0.5 + Math.random() / 2);
                this.timer = setTimeout(() => this.start(), delay);
            }

            end(refusal) {
                this.isEnded = true;
                clearTimeout(this.timer);
                this.socket?.close();
                this.members.clear();
                this.emit("ended", { refusal });
            }

            receive(frame) {
                switch (frame.type) {
                    case "welcome": return this.welcome(frame);
                    case "resumed":
                        this.settled();
                        this.release(frame.received);
                        for (const text of this.queue) this.socket.send(text);
                        return this.emit("resumed");
                    case "lost":
                        this.loss = frame.reason;
                        this.member = null;
                        this.queue = [];
                        return this.join();
                    case "ack":
                        this.attempts = 0;
                        return this.release(frame.received);
                    case "refused":
                        if (["server-full", "shutdown", "timeout", "rate"].includes(frame.code)) return;
                        return this.end(frame);
                }
                if (frame.number !== this.received + 1) return;
                this.received = frame.number;
                this.attempts = 0;
                this.acknowledge();
                switch (frame.type) {
                    case "joined":
                        this.members.set(frame.member.id, frame.member);
                        return this.emit("memberJoined", { member: frame.member });
                    case "left":
                        this.members.delete(frame.member);
                        return this.emit("memberLeft", { id: frame.member, reason: frame.reason });
                    case "message": return this.emit("message", { from: frame.from, message: frame.message });
                }
            }

            welcome(frame) {
                const isNew = !this.loss;
                Object.assign(this, { member: frame.member, token: frame.token, received: 0, number: 0, queue: [] });
                this.unacknowledged = 0;
                this.members = new Map(frame.members.map((member) => [member.id, member]));
                this.settled();
                this.emit(isNew ? "joined" : "rejoined", { others: frame.members, because: this.loss });
                this.loss = null;
            }

            settled() {
                this.phase = "joined";
                this.settledAt = performance.now();
            }

            release(received) {
                const first = this.number - this.queue.length + 1;
                this.queue.splice(0, Math.max(0, received - first + 1));
            }

            acknowledge() {
                const send = () => {
                    clearTimeout(this.acknowledgement);
                    this.acknowledgement = null;
                    this.unacknowledged = 0;
                    if (this.phase === "joined") this.write({ type: "ack", received: this.received });
                };
                if (++this.unacknowledged >= 16) return send();
                this.acknowledgement ??= setTimeout(send, 1000);
            }
        }
        """#
}
