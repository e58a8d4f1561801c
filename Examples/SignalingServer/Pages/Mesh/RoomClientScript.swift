/// `/mesh/room-client.js`: a member of a room in JavaScript, which comes back by itself and loses nothing (Documentation/Rooms.md).
enum RoomClientScript {
    static let text = #"""
        "use strict";

        // In milliseconds, as RoomClientConfiguration has them: for joining with all attempts, for opening a channel and each answer,
        // and the delays between attempts.
        const ROOM_TIMES = { join: 30000, response: 15000, firstDelay: 250, longestDelay: 15000 };

        // Events: connecting, waiting {reason, delay}, joined {others}, memberJoined {member}, memberLeft {id, reason},
        // message {from, message}, interrupted, resumed, rejoined {others, because}, ended {refusal}.
        class RoomClient extends EventTarget {
            constructor(url, room, metadata = {}, credential = undefined, times = ROOM_TIMES) {
                super();
                Object.assign(this, { url, room, metadata, credential, times });
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
                const socket = this.socket = new WebSocket(this.url);
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
                if (this.queue.length >= 256) throw new Error("too many messages wait");
                const text = JSON.stringify({ type: "send", number: ++this.number, to, message });
                this.queue.push(text);
                if (this.phase === "joined") this.transmit(text);
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
                this.acknowledgement = null;
                this.unacknowledged = 0;
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
                for (const timer of [this.timer, this.responseTimer, this.joinTimer, this.acknowledgement]) clearTimeout(timer);
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
                        for (const text of this.queue) this.transmit(text);
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
                        this.isAwaiting = this.queue.length > 0;
                        if (this.isAwaiting) this.expect("does not answer");
                        else clearTimeout(this.responseTimer);
                        return;
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
                this.unacknowledged = 0;
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
