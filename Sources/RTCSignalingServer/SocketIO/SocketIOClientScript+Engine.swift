extension SocketIOClientScript {
    /// Events, payloads, and a session of Engine.IO.
    static let engine = #"""
        // What every object here that has events has.
        class Emitter {
          #handlers = new Map();

          on(name, handler) {
            if (!this.#handlers.has(name)) this.#handlers.set(name, []);
            this.#handlers.get(name).push({handler, call: handler});
            return this;
          }

          once(name, handler) {
            const call = (...values) => { this.off(name, handler); handler.apply(this, values); };
            if (!this.#handlers.has(name)) this.#handlers.set(name, []);
            this.#handlers.get(name).push({handler, call});
            return this;
          }

          off(name, handler) {
            if (name === undefined) this.#handlers.clear();
            else if (handler === undefined) this.#handlers.delete(name);
            else this.#handlers.set(name, (this.#handlers.get(name) || []).filter(each => each.handler !== handler));
            return this;
          }

          listeners(name) { return (this.#handlers.get(name) || []).map(each => each.handler); }

          hasListeners(name) { return this.listeners(name).length > 0; }

          tell(name, ...values) {
            for (const each of [...(this.#handlers.get(name) || [])]) {
              try {
                each.call.apply(this, values);
              } catch (error) {
                // A page's mistake is the page's: it must not break the connection.
                reportError(error);
              }
            }
          }
        }
        Emitter.prototype.addEventListener = Emitter.prototype.on;
        Emitter.prototype.removeListener = Emitter.prototype.off;
        Emitter.prototype.removeAllListeners = Emitter.prototype.off;

        // Payloads: packets one after another, as text with lengths in code units, or as bytes.
        const encoder = new TextEncoder(), decoder = new TextDecoder();

        function encodePayload(packets) {
          if (packets.every(packet => typeof packet === "string")) {
            return packets.map(packet => packet.length + ":" + packet).join("");
          }
          const parts = [];
          for (const packet of packets) {
            const isText = typeof packet === "string";
            const bytes = isText ? encoder.encode(packet) : new Uint8Array(packet);
            parts.push(Uint8Array.of(isText ? 0 : 1, ...String(bytes.length).split("").map(Number), 255), bytes);
          }
          return new Blob(parts, {type: "application/octet-stream"});
        }

        function decodeText(text) {
          const packets = [];
          for (let index = 0; index < text.length;) {
            const colon = text.indexOf(":", index);
            const end = colon + 1 + Number(text.slice(index, colon));
            if (colon < 0 || !(end <= text.length)) throw new Error("malformed payload");
            packets.push(text.slice(colon + 1, end));
            index = end;
          }
          return packets;
        }

        function decodeBytes(bytes) {
          const packets = [];
          for (let index = 0; index < bytes.length;) {
            const isText = bytes[index++] === 0;
            let length = 0;
            while (bytes[index] < 10) length = length * 10 + bytes[index++];
            if (bytes[index++] !== 255 || index + length > bytes.length) throw new Error("malformed payload");
            const content = bytes.slice(index, index + length);
            packets.push(isText ? decoder.decode(content) : content.buffer);
            index += length;
          }
          return packets;
        }

        function fromBase64(text) { return Uint8Array.from(atob(text), each => each.charCodeAt(0)).buffer; }

        // A session: over requests, over a WebSocket, or over both, one after the other.
        // Tells "open", "message" with text or an ArrayBuffer, "pong", "upgrade", and at last "close" with a reason.
        class Engine extends Emitter {
          constructor(url, options) {
            super();
            this.url = url;
            this.options = options;
            this.state = "opening";
            this.queue = [];
            this.isPolling = options.transports[0] === "polling";
            if (this.isPolling) this.poll();
            else this.openWebSocket(socket => { this.webSocket = socket; });
          }

          get transport() { return this.webSocket ? "websocket" : "polling"; }

          address(transport) {
            const url = new URL(this.url);
            for (const [name, value] of this.options.query) url.searchParams.set(name, value);
            url.searchParams.set("EIO", "3");
            url.searchParams.set("transport", transport);
            if (this.id) url.searchParams.set("sid", this.id);
            if (transport === "websocket") url.protocol = url.protocol.replace("http", "ws");
            return url.href;
          }

          // Requests

          async poll() {
            while (this.isPolling && !this.isPausing && this.state !== "closed") {
              this.isPollPending = true;
              try {
                for (const packet of await this.request({})) this.receive(packet);
              } catch (error) {
                this.isPollPending = false;
                return this.end("transport error", error);
              }
              this.isPollPending = false;
            }
            this.upgrade();
          }

          async request(init) {
            this.aborter = this.aborter || new AbortController();
            const response = await fetch(this.address("polling"), {
              cache: "no-store", credentials: this.options.credentials, signal: this.aborter.signal, ...init,
            });
            if (!response.ok) throw new Error("status " + response.status);
            if (init.method === "POST") return [];
            const isText = !(response.headers.get("content-type") || "").startsWith("application/octet-stream");
            return isText ? decodeText(await response.text()) : decodeBytes(new Uint8Array(await response.arrayBuffer()));
          }

          async post() {
            this.isPostPending = true;
            const body = encodePayload(this.queue.splice(0));
            try {
              const headers = typeof body === "string" ? {"content-type": "text/plain;charset=UTF-8"} : {};
              await this.request({method: "POST", headers, body});
            } catch (error) {
              this.isPostPending = false;
              return this.end("transport error", error);
            }
            this.isPostPending = false;
            if (this.isPausing) this.upgrade();
            else this.flush();
          }

          // WebSockets

          openWebSocket(opened) {
            let socket;
            try {
              socket = new WebSocket(this.address("websocket"));
            } catch (error) {
              return this.id ? undefined : setTimeout(() => this.end("transport error", error));
            }
            socket.binaryType = "arraybuffer";
            socket.onopen = () => opened(socket);
            socket.onmessage = event => this.receive(event.data, socket);
            socket.onclose = () => {
              if (socket === this.webSocket || !this.id) return this.end("transport close");
              // What was only tried goes on as it was.
              if (socket !== this.probe) return;
              this.probe = undefined;
              if (this.isPausing) {
                this.isPausing = false;
                if (!this.isPollPending) this.poll();
                this.flush();
              }
            };
          }

          probeWebSocket() {
            this.openWebSocket(socket => {
              if (this.state !== "open") return socket.close();
              this.probe = socket;
              socket.send("2probe");
            });
          }

          // Goes over to the WebSocket as soon as no request is under way any more.
          upgrade() {
            if (!this.isPausing || this.isPollPending || this.isPostPending || this.state !== "open") return;
            this.isPausing = this.isPolling = false;
            this.webSocket = this.probe;
            this.probe = undefined;
            this.webSocket.send("5");
            this.tell("upgrade");
            this.flush();
          }

          // Packets

          receive(frame, socket) {
            if (this.state === "closed") return;
            let kind, data;
            if (typeof frame === "string") {
              const isBase64 = frame[0] === "b";
              kind = Number(frame[isBase64 ? 1 : 0]);
              data = isBase64 ? fromBase64(frame.slice(2)) : frame.slice(1);
            } else {
              kind = new Uint8Array(frame)[0];
              data = frame.slice(1);
            }
            if (socket && socket === this.probe) {
              if (kind === 3 && data === "probe") {
                this.isPausing = true;
                this.upgrade();
              }
            } else if (kind === 0) this.opened(JSON.parse(data));
            else if (kind === 1) this.end("transport close");
            else if (kind === 3) this.ponged();
            else if (kind === 4) this.tell("message", data);
          }

          opened({sid, upgrades, pingInterval, pingTimeout}) {
            this.id = sid;
            this.state = "open";
            this.times = {pingInterval, pingTimeout};
            this.tell("open");
            this.schedulePing();
            this.flush();
            if (this.isPolling && upgrades.includes("websocket") && this.options.transports.includes("websocket")
              && this.options.upgrade) this.probeWebSocket();
          }

          schedulePing() {
            this.timer = setTimeout(() => {
              this.pingedAt = Date.now();
              this.push("2");
              this.timer = setTimeout(() => this.end("ping timeout"), this.times.pingTimeout);
            }, this.times.pingInterval);
          }

          ponged() {
            clearTimeout(this.timer);
            this.schedulePing();
            this.tell("pong", Date.now() - this.pingedAt);
          }

          push(packet) {
            if (this.state === "closed") return;
            this.queue.push(packet);
            this.flush();
          }

          flush() {
            if (this.state !== "open" || this.queue.length === 0) return;
            if (this.webSocket) for (const packet of this.queue.splice(0)) this.webSocket.send(packet);
            else if (!this.isPostPending && !this.isPausing) this.post();
          }

          // Sends text or an ArrayBuffer.
          send(data) {
            if (typeof data === "string") return this.push("4" + data);
            const bytes = new Uint8Array(data.byteLength + 1);
            bytes[0] = 4;
            bytes.set(new Uint8Array(data), 1);
            this.push(bytes.buffer);
          }

          close() {
            if (this.state === "closed") return;
            if (this.state === "open" && !this.webSocket) {
              // With what waits, in one last request that outlives the page.
              const body = encodePayload([...this.queue.splice(0), "1"]);
              fetch(this.address("polling"), {
                method: "POST", keepalive: true, credentials: this.options.credentials, body,
                headers: typeof body === "string" ? {"content-type": "text/plain;charset=UTF-8"} : {},
              }).catch(() => {});
            }
            this.end("forced close");
          }

          end(reason, error) {
            if (this.state === "closed") return;
            this.state = "closed";
            clearTimeout(this.timer);
            if (this.aborter) this.aborter.abort();
            for (const socket of [this.webSocket, this.probe]) if (socket) socket.close();
            this.tell("close", reason, error);
          }
        }
        """#
}
