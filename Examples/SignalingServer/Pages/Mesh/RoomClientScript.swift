/// `/mesh/room-client.js`: a member of a room in JavaScript, which comes back by itself and loses nothing (Documentation/Rooms.md).
enum RoomClientScript {
    static let text = #"""
        "use strict";

        // In milliseconds, as RoomClientConfiguration has them: for joining with all attempts, for opening a channel and each answer,
        // and the delays between attempts.
        const ROOM_TIMES = { join: 30000, response: 15000, firstDelay: 250, longestDelay: 15000 };

        // What a server takes of a member that does not say so; RoomConfiguration's defaults.
        const ROOM_LIMITS = { messageRate: 100, messageBurst: 1000, byteRate: 1 << 20, byteBurst: 4 << 20 };

        // How fast a member may send: what the server takes, a tenth less, because messages that leave evenly do not arrive so.
        class Pace {
            constructor({ messageRate, messageBurst, byteRate, byteBurst }) {
                const now = performance.now();
                this.most = Math.max(1, Math.floor(messageBurst * 0.9));
                this.buckets = [[messageRate, messageBurst], [byteRate, byteBurst]].map(([rate, burst]) =>
                    ({ rate: rate * 0.9, burst, level: burst, at: now }));
            }

            // Takes what a message costs and gives 0, or gives how many milliseconds it must wait.
            take(size) {
                const now = performance.now();
                const costs = [1, size];
                const waits = this.buckets.map((bucket, index) => {
                    bucket.level = Math.min(bucket.burst, bucket.level + (now - bucket.at) / 1000 * bucket.rate);
                    bucket.at = now;
                    const needed = Math.min(bucket.burst, costs[index] + bucket.burst / 10);
                    return Math.max(0, (needed - bucket.level) / bucket.rate * 1000);
                });
                const wait = Math.max(...waits);
                if (wait === 0) this.buckets.forEach((bucket, index) => bucket.level = Math.max(0, bucket.level - costs[index]));
                return wait;
            }
        }

        // Events: connecting, waiting {reason, delay}, joined {others}, memberJoined {member}, memberLeft {id, reason},
        // message {from, message}, interrupted, resumed, rejoined {others, because}, ended {refusal}.
        class RoomClient extends EventTarget {
            constructor(url, room, metadata = {}, credential = undefined, times = ROOM_TIMES) {
                super();
                Object.assign(this, { url, room, metadata, credential, times });
                // Where SockJS is served, for where no WebSocket comes through; null for nowhere.
                this.requestsURL = null;
                this.members = new Map();
                this.member = null;
                this.queue = [];
                this.attempts = 0;
                this.isEnded = false;
            }

            start() {
                this.phase = "opening";
                this.emit("connecting");
                this.joinTimer ??= setTimeout(() => this.giveUp(), this.times.join);
                this.expect("cannot be reached");
                const socket = this.socket = new SignalingSocket(this.url, this.requestsURL);
                socket.onopen = () => socket === this.socket && this.opened();
                socket.onmessage = (event) => socket === this.socket && this.receive(JSON.parse(event.data));
                socket.onclose = () => socket === this.socket && this.interrupted(
                    this.phase === "opening" ? "The server cannot be reached." : "The connection to the server broke.");
            }

            // Gives the channel up unless the server says something in time.
            expect(what) {
                clearTimeout(this.responseTimer);
                this.responseTimer = setTimeout(() => {
                    const socket = this.socket;
                    this.socket = null;
                    socket?.close();
                    this.interrupted(`The server ${what} (${Math.ceil(this.times.response / 1000)} s).`);
                }, this.times.response);
            }

            // Without having been a member in all that time.
            giveUp() {
                this.end({ code: "unreachable", reason: this.problem ?? `The server cannot be reached (${Math.ceil(this.times.join / 1000)} s).` });
            }

            // The message is sent when there is a way; to everyone without a recipient.
            send(message, to = undefined) {
                if (!this.member || this.isEnded) throw new Error("not a member");
                if (this.queue.length >= 1024) throw new Error("too many messages wait");
                const text = JSON.stringify({ type: "send", number: ++this.number, to, message });
                this.queue.push(text);
                this.pump();
            }

            // Sends what waits, as fast as the server takes it.
            pump() {
                clearTimeout(this.paceTimer);
                // What is acknowledged lets more go: whatever held it up, it may arrive at once.
                while (this.phase === "joined" && this.sent < this.queue.length && this.sent < this.pace.most) {
                    const text = this.queue[this.sent];
                    const wait = this.pace.take(new TextEncoder().encode(text).length);
                    if (wait > 0) {
                        this.paceTimer = setTimeout(() => this.pump(), Math.ceil(wait));
                        return;
                    }
                    this.sent++;
                    this.transmit(text);
                }
            }

            transmit(text) {
                this.socket.send(text);
                if (!this.isAwaiting) this.expect("does not answer");
                this.isAwaiting = true;
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
                this.interrupted("The connection to the server broke.");
            }

            emit(type, detail = {}) { this.dispatchEvent(new CustomEvent(type, { detail })); }

            opened() {
                this.expect("does not answer");
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

            interrupted(reason) {
                if (this.isEnded || this.phase === "waiting") return;
                clearTimeout(this.responseTimer);
                clearTimeout(this.acknowledgement);
                clearTimeout(this.paceTimer);
                this.acknowledgement = null;
                this.unacknowledged = this.sent = 0;
                this.isAwaiting = false;
                this.problem = this.refusal ?? reason;
                this.refusal = null;
                if (this.phase === "joined") {
                    this.emit("interrupted");
                    // Short delays again only after a channel that held, or over which something came.
                    if (performance.now() - this.settledAt >= this.times.longestDelay) this.attempts = 0;
                }
                this.phase = "waiting";
                const longest = Math.min(this.times.longestDelay, this.times.firstDelay * 2 ** this.attempts++);
                const delay = longest * (0.5 + Math.random() / 2);
                this.timer = setTimeout(() => this.start(), delay);
                this.emit("waiting", { reason: this.problem, delay });
            }

            end(refusal) {
                if (this.isEnded) return;
                this.isEnded = true;
                for (const timer of [this.timer, this.responseTimer, this.joinTimer, this.acknowledgement, this.paceTimer]) clearTimeout(timer);
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
                        this.pump();
                        return this.emit("resumed");
                    case "lost":
                        this.loss = frame.reason;
                        this.member = null;
                        this.queue = [];
                        this.expect("does not answer");
                        return this.join();
                    case "ack":
                        this.attempts = 0;
                        this.release(frame.received);
                        this.isAwaiting = this.sent > 0;
                        if (this.isAwaiting) this.expect("does not answer");
                        else clearTimeout(this.responseTimer);
                        return this.pump();
                    case "refused":
                        // Worth another attempt when the server has closed the channel.
                        if (["server-full", "shutdown", "timeout", "rate"].includes(frame.code)) {
                            this.refusal = `The server refused: ${frame.reason}.`;
                            return this.expect("does not close");
                        }
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
                this.unacknowledged = this.sent = 0;
                this.pace = new Pace(frame.limits ?? ROOM_LIMITS);
                this.members = new Map(frame.members.map((member) => [member.id, member]));
                this.settled();
                this.emit(isNew ? "joined" : "rejoined", { others: frame.members, because: this.loss });
                this.loss = null;
            }

            settled() {
                this.phase = "joined";
                clearTimeout(this.responseTimer);
                clearTimeout(this.joinTimer);
                // Who was a member comes back for ever.
                this.joinTimer = 0;
                this.settledAt = performance.now();
            }

            release(received) {
                const first = this.number - this.queue.length + 1;
                const count = this.queue.splice(0, Math.max(0, received - first + 1)).length;
                this.sent = Math.max(0, this.sent - count);
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
