/// `/mesh/mesh.js`: everybody in a room connected to everybody, with text, files, sound and pictures.
enum MeshScript {
    static let text = #"""
        "use strict";

        // Files go in pieces of this size, one file on a channel of its own: a JSON text first, then bytes, then a text from the receiver.
        const PIECE = 16384;
        // Whoever sends less at once, but for the end of a file, wants to fill the memory with pieces.
        const SMALLEST_PIECE = 1024;

        // The newest of what came, up to a number of items and a size of all; each has a size.
        class Newest {
            constructor(count, size, drop = () => {}) {
                Object.assign(this, { count, size, drop });
                this.items = [];
                this.held = 0;
            }

            add(item) {
                this.items.push(item);
                this.held += item.size;
                while (this.items.length > this.count || this.held > this.size) {
                    const oldest = this.items.shift();
                    this.held -= oldest.size;
                    this.drop(oldest);
                }
            }
        }

        class Mesh {
            constructor(room, stream, view) {
                Object.assign(this, { room, stream, view });
                this.peers = new Map();
                this.calls = new Map();
                // What anybody may send without end is kept for a while.
                this.texts = new Newest(200, 1 << 20, ({ peer }) => peer.texts.shift());
                this.files = new Newest(64, 256 << 20, ({ peer, shown }) => {
                    peer.files.shift();
                    this.view.forget(shown);
                });
                room.addEventListener("joined", ({ detail }) => detail.others.forEach((member) => this.meet(member, true)));
                room.addEventListener("memberJoined", ({ detail }) => this.meet(detail.member, false));
                room.addEventListener("memberLeft", ({ detail }) => this.part(detail.id));
                room.addEventListener("rejoined", ({ detail }) => {
                    [...this.peers.keys()].forEach((id) => this.part(id));
                    detail.others.forEach((member) => this.meet(member, true));
                });
                room.addEventListener("ended", () => [...this.peers.keys()].forEach((id) => this.part(id)));
                room.addEventListener("message", ({ detail }) => this.receive(detail.from, detail.message));
            }

            meet(member, offersFirst) {
                this.calls.set(member.id, 1);
                this.connect(member, 1, offersFirst);
            }

            connect(member, call, offersFirst) {
                this.calls.set(member.id, call);
                const connection = new RTCPeerConnection();
                const peer = { member, connection, texts: [], files: [] };
                peer.negotiator = new Negotiator(connection, {
                    call,
                    isPolite: this.room.member < member.id,
                    firstOfferDelay: offersFirst ? 0 : 2000,
                    send: (message) => this.room.isEnded || this.room.send(message, member.id),
                    gaveUp: () => this.reconnect(peer, call),
                });
                this.peers.set(member.id, peer);
                this.view.add(peer);
                peer.chat = connection.createDataChannel("chat", { negotiated: true, id: 0 });
                peer.chat.onopen = () => this.view.update(peer);
                peer.chat.onmessage = ({ data }) => {
                    if (typeof data !== "string") return;
                    peer.texts.push(data);
                    this.texts.add({ peer, size: data.length });
                    this.view.text(peer.member.metadata.name, data);
                };
                connection.ondatachannel = ({ channel }) => channel.label === "file" && this.takeFile(peer, channel);
                connection.ontrack = ({ track, streams }) => this.view.track(peer, track, streams[0]);
                connection.addEventListener("connectionstatechange", () => this.view.update(peer));
                this.stream?.getTracks().forEach((track) => connection.addTrack(track, this.stream));
            }

            reconnect(peer, call) {
                const { member } = peer;
                this.part(member.id);
                setTimeout(() => {
                    if (!this.room.members.has(member.id) || this.peers.has(member.id)) return;
                    this.connect(member, Math.max(call, this.calls.get(member.id)) + 1, true);
                }, 2000);
            }

            part(id) {
                const peer = this.peers.get(id);
                if (!peer) return;
                this.peers.delete(id);
                peer.negotiator.end();
                this.view.remove(peer);
            }

            receive(from, message) {
                const member = this.room.members.get(from);
                if (message.type === "data" || !member) return;
                const call = this.calls.get(from) ?? 0;
                // A later connection takes the place of the one before.
                if (message.call > call && message.type === "offer") {
                    // No honest one comes sooner: who gives a connection up waits first.
                    if (performance.now() - (member.replacedAt ?? -1000) < 1000) return;
                    member.replacedAt = performance.now();
                    this.part(from);
                    this.connect(member, message.call, false);
                }
                const peer = this.peers.get(from);
                peer?.negotiator.receive(message);
                if (message.type === "bye" && message.call === call) this.part(from);
            }

            sendText(text, peers = [...this.peers.values()]) {
                const open = peers.filter((peer) => peer.chat.readyState === "open");
                open.forEach((peer) => peer.chat.send(text));
                return open.length;
            }

            async sendFile(file, peers = [...this.peers.values()]) {
                const bytes = new Uint8Array(await file.arrayBuffer());
                await Promise.all(peers.map((peer) => this.sendFileTo(peer, file.name, bytes)));
            }

            async sendFileTo(peer, name, bytes) {
                const channel = peer.connection.createDataChannel("file");
                channel.binaryType = "arraybuffer";
                channel.bufferedAmountLowThreshold = 8 * PIECE;
                const once = (type) => new Promise((resolve, reject) => {
                    channel.addEventListener(type, resolve, { once: true });
                    channel.addEventListener("close", () => reject(new Error("the channel was closed")), { once: true });
                });
                const received = once("message");
                received.catch(() => {});
                await once("open");
                const progress = this.view.progress(`${name} to ${peer.member.metadata.name}`);
                channel.send(JSON.stringify({ name, size: bytes.length }));
                for (let sent = 0; sent < bytes.length; sent += PIECE) {
                    if (channel.bufferedAmount > 64 * PIECE) await once("bufferedamountlow");
                    channel.send(bytes.subarray(sent, sent + PIECE));
                    progress((sent + PIECE) / bytes.length);
                }
                await received;
                progress(1);
                channel.close();
            }

            takeFile(peer, channel) {
                channel.binaryType = "arraybuffer";
                let head = null;
                let size = 0;
                let progress = null;
                let isOver = false;
                let pieces = [];
                peer.incomingFiles = (peer.incomingFiles ?? 0) + 1;
                const end = () => {
                    isOver = true;
                    pieces = [];
                    channel.close();
                };
                channel.addEventListener("close", () => {
                    peer.incomingFiles -= 1;
                    end();
                });
                if (peer.incomingFiles > 8) return end();
                channel.onmessage = ({ data }) => {
                    // Nothing follows a file, and no piece is empty.
                    if (isOver || typeof data === "string" === Boolean(head) || data.byteLength === 0) return end();
                    if (!head) {
                        head = Mesh.readHead(data);
                        if (!head) return end();
                        progress = this.view.progress(`${head.name} from ${peer.member.metadata.name}`);
                    } else {
                        pieces.push(data);
                        size += data.byteLength;
                        if (size > head.size || (size < head.size && data.byteLength < SMALLEST_PIECE)) return end();
                        progress(size / head.size);
                    }
                    if (size < head.size) return;
                    isOver = true;
                    channel.send("received");
                    const file = new File(pieces, head.name);
                    pieces = [];
                    peer.files.push(file);
                    this.files.add({ peer, size, shown: this.view.file(peer, file) });
                };
            }

            // What a file's first message says; null for what says nothing. As on the Swift side, a file is held in memory.
            static readHead(text) {
                try {
                    const { name, size } = JSON.parse(text);
                    const isGood = typeof name === "string" && name.length <= 255 && size >= 0 && size <= 64 << 20;
                    return isGood ? { name, size } : null;
                } catch {
                    return null;
                }
            }
        }
        """#
}
