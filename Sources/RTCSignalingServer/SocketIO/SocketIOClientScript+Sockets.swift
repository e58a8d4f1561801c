extension SocketIOClientScript {
    /// Packets of Socket.IO.
    static let parser = #"""
        const CONNECT = 0, DISCONNECT = 1, EVENT = 2, ACK = 3, ERROR = 4, BINARY_EVENT = 5, BINARY_ACK = 6;

        // A copy of `value` without its bytes, which go to `attachments`.
        function takeBytes(value, attachments) {
          if (value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value instanceof Blob) {
            attachments.push(value);
            return {_placeholder: true, num: attachments.length - 1};
          }
          if (Array.isArray(value)) return value.map(each => takeBytes(each, attachments));
          if (value === null || typeof value !== "object") return value;
          if (typeof value.toJSON === "function") return takeBytes(value.toJSON(), attachments);
          return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, takeBytes(each, attachments)]));
        }

        function putBytes(value, attachments) {
          if (value === null || typeof value !== "object") return value;
          if (Array.isArray(value)) return value.map(each => putBytes(each, attachments));
          if (value._placeholder === true) return attachments[value.num];
          return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, putBytes(each, attachments)]));
        }

        function encodePacket({type, namespace = "/", id, data}) {
          const attachments = [];
          if (data !== undefined) data = takeBytes(data, attachments);
          let text = String(type + (attachments.length > 0 && type !== ERROR ? 3 : 0));
          if (attachments.length > 0) text += attachments.length + "-";
          if (namespace !== "/") text += namespace + ",";
          if (id !== undefined) text += id;
          return {text: text + (data === undefined ? "" : JSON.stringify(data)), attachments};
        }

        function decodePacket(text) {
          const [, type, count, namespace, id, json] = /^([0-6])(?:(\d+)-)?(?:(\/[^,]*)(?:,|$))?(\d+)?([^]*)$/.exec(text);
          return {
            type: Number(type) >= BINARY_EVENT ? Number(type) - 3 : Number(type), missing: Number(count || 0),
            namespace: namespace || "/", id: id && Number(id), data: json ? JSON.parse(json) : undefined,
          };
        }

        function bufferOf(value) {
          if (value instanceof ArrayBuffer) return value;
          return value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
        }
        """#

    /// Sockets, and what they share: a connection that is made anew when it breaks.
    static let sockets = #"""
        class Manager extends Emitter {
          constructor(url, options) {
            super();
            this.url = url;
            this.options = options;
            this.sockets = new Map();
            this.attempts = 0;
            this.sending = null;
          }

          open() {
            if (this.engine || this.timer) return;
            const engine = this.engine = new Engine(this.url, this.options);
            // Everybody has the namespace "/" without asking, until it is left.
            this.root = undefined;
            engine.on("open", () => {
              const attempts = this.attempts;
              this.attempts = 0;
              clearTimeout(this.openTimer);
              for (const socket of this.sockets.values()) socket.opened();
              if (attempts > 0) this.forward("reconnect", attempts);
            });
            engine.on("message", message => this.receive(message));
            engine.on("pong", time => this.forward("pong", time));
            engine.on("close", (reason, error) => this.closed(engine, reason, error));
            this.openTimer = setTimeout(() => engine.id || engine.end("timeout", new Error("timeout")), this.options.timeout);
          }

          forward(name, ...values) {
            this.tell(name, ...values);
            for (const socket of this.sockets.values()) socket.tell(name, ...values);
          }

          closed(engine, reason, error) {
            if (engine !== this.engine) return;
            clearTimeout(this.openTimer);
            this.engine = undefined;
            this.partial = undefined;
            if (engine.id) {
              for (const socket of this.sockets.values()) socket.lost(reason);
            } else {
              const failure = error instanceof Error ? error : new Error("xhr poll error");
              this.forward("connect_error", failure);
              if (this.attempts > 0) this.forward("reconnect_error", failure);
            }
            const isWanted = [...this.sockets.values()].some(socket => socket.isWanted);
            if (isWanted && this.options.reconnection) this.reconnect();
          }

          reconnect() {
            if (this.attempts >= this.options.reconnectionAttempts) {
              this.attempts = 0;
              return this.forward("reconnect_failed");
            }
            const {reconnectionDelay, reconnectionDelayMax, randomizationFactor} = this.options;
            const delay = Math.min(reconnectionDelay * 2 ** this.attempts, reconnectionDelayMax);
            this.attempts += 1;
            const jitter = 1 + randomizationFactor * (2 * Math.random() - 1);
            this.timer = setTimeout(() => {
              this.timer = undefined;
              this.forward("reconnect_attempt", this.attempts);
              this.forward("reconnecting", this.attempts);
              this.open();
            }, Math.min(delay * jitter, reconnectionDelayMax));
          }

          // In their order: what has Blobs waits until they are read, and what comes after waits for it.
          send(packet) {
            const {text, attachments} = encodePacket(packet);
            const engine = this.engine;
            const write = buffers => {
              engine.send(text);
              for (const buffer of buffers) engine.send(buffer);
            };
            const hasBlobs = attachments.some(each => each instanceof Blob);
            if (!this.sending && !hasBlobs) return write(attachments.map(bufferOf));
            const read = Promise.all(attachments.map(each => each instanceof Blob ? each.arrayBuffer() : bufferOf(each)));
            const sending = this.sending = Promise.all([read, this.sending]).then(([buffers]) => {
              write(buffers);
              if (this.sending === sending) this.sending = null;
            });
          }

          receive(message) {
            let packet;
            if (typeof message === "string") {
              packet = decodePacket(message);
              packet.attachments = [];
            } else {
              packet = this.partial;
              packet.attachments.push(message);
              packet.missing -= 1;
            }
            this.partial = packet.missing > 0 ? packet : undefined;
            if (this.partial) return;
            packet.data = putBytes(packet.data, packet.attachments);
            if (packet.namespace === "/" && packet.type === CONNECT) this.root = "had";
            if (packet.namespace === "/" && packet.type === DISCONNECT) this.root = "left";
            const socket = this.sockets.get(packet.namespace);
            if (socket) socket.receive(packet);
          }

          // Closes the connection that nobody wants any more.
          async release() {
            await this.sending;
            if ([...this.sockets.values()].some(socket => socket.isWanted)) return;
            clearTimeout(this.timer);
            this.timer = undefined;
            this.attempts = 0;
            if (this.engine) this.engine.close();
          }
        }

        // Names of events that only this side tells.
        const RESERVED = new Set([
          "connect", "connect_error", "connect_timeout", "connecting", "disconnect", "error", "reconnect",
          "reconnect_attempt", "reconnect_failed", "reconnect_error", "reconnecting", "ping", "pong",
        ]);

        class Socket extends Emitter {
          constructor(manager, namespace, query) {
            super();
            this.io = manager;
            this.nsp = namespace;
            this.query = query;
            this.connected = false;
            this.acknowledgements = new Map();
            this.nextID = 0;
            this.sendBuffer = [];
            this.receiveBuffer = [];
          }

          get disconnected() { return !this.connected; }

          open() {
            this.isWanted = true;
            if (this.io.engine && this.io.engine.id) this.opened();
            else this.io.open();
            this.tell("connecting");
            return this;
          }

          connect() { return this.open(); }

          // The connection is there.
          opened() {
            if (!this.isWanted || this.connected) return;
            if (this.nsp !== "/") this.io.send({type: CONNECT, namespace: this.nsp + (this.query ? "?" + this.query : "")});
            else if (this.io.root === "left") this.io.send({type: CONNECT});
            else if (this.io.root === "had") Promise.resolve().then(() => this.isWanted && this.accepted());
          }

          emit(name, ...values) {
            if (RESERVED.has(name)) {
              this.tell(name, ...values);
              return this;
            }
            const packet = {type: EVENT, namespace: this.nsp};
            if (typeof values[values.length - 1] === "function") {
              packet.id = this.nextID++;
              this.acknowledgements.set(packet.id, values.pop());
            }
            packet.data = [name, ...values];
            if (this.connected) this.io.send(packet);
            else this.sendBuffer.push(packet);
            return this;
          }

          send(...values) { return this.emit("message", ...values); }

          close() {
            const wasConnected = this.connected;
            this.isWanted = false;
            if (wasConnected) {
              this.io.send({type: DISCONNECT, namespace: this.nsp});
              if (this.nsp === "/") this.io.root = "left";
              this.lost("io client disconnect");
            }
            this.io.release();
            return this;
          }

          disconnect() { return this.close(); }

          compress() { return this; }

          receive({type, id, data}) {
            if (type === CONNECT) this.accepted();
            else if (type === EVENT && this.connected) this.dispatch(id, data);
            else if (type === EVENT) this.receiveBuffer.push([id, data]);
            else if (type === ACK) {
              const acknowledged = this.acknowledgements.get(id);
              this.acknowledgements.delete(id);
              if (acknowledged) acknowledged.apply(this, data);
            } else if (type === DISCONNECT) {
              this.isWanted = false;
              this.lost("io server disconnect");
              this.io.release();
            } else if (type === ERROR) this.tell("error", data);
          }

          dispatch(id, data) {
            let isDone = false;
            const acknowledge = (...values) => {
              if (isDone) return;
              isDone = true;
              this.io.send({type: ACK, namespace: this.nsp, id, data: values});
            };
            this.tell(...data, ...(id === undefined ? [] : [acknowledge]));
          }

          accepted() {
            if (this.connected) return;
            this.id = (this.nsp === "/" ? "" : this.nsp + "#") + this.io.engine.id;
            this.connected = true;
            this.tell("connect");
            // What the page does on hearing something may end the connection.
            while (this.connected && this.receiveBuffer.length > 0) this.dispatch(...this.receiveBuffer.shift());
            while (this.connected && this.sendBuffer.length > 0) this.io.send(this.sendBuffer.shift());
          }

          lost(reason) {
            if (!this.connected) return;
            this.connected = false;
            this.receiveBuffer = [];
            this.id = undefined;
            this.tell("disconnect", reason);
          }
        }

        const managers = new Map();
        const DEFAULTS = {
          path: "/socket.io/", transports: ["polling", "websocket"], upgrade: true, reconnection: true,
          reconnectionAttempts: Infinity, reconnectionDelay: 1000, reconnectionDelayMax: 5000, randomizationFactor: 0.5,
          timeout: 20000, autoConnect: true, multiplex: true, withCredentials: false,
        };

        // `url` is that of a server and a namespace, or of a namespace on the page's own server.
        function io(url, given) {
          if (typeof url === "object") [url, given] = [undefined, url];
          const options = {...DEFAULTS, ...given};
          const target = new URL(url || "", location.origin + "/");
          const namespace = target.pathname || "/";
          const query = new URLSearchParams(options.query || target.search.slice(1));
          options.query = query;
          options.credentials = options.withCredentials ? "include" : "same-origin";
          const address = target.origin + options.path;
          let manager = managers.get(address);
          const isOwn = options.forceNew || options["force new connection"] || !options.multiplex;
          if (isOwn || !manager || manager.sockets.has(namespace)) {
            manager = new Manager(address, options);
            if (!isOwn) managers.set(address, manager);
          }
          const socket = new Socket(manager, namespace, query.toString());
          manager.sockets.set(namespace, socket);
          return options.autoConnect ? socket.open() : socket;
        }
        io.connect = io;
        io.protocol = 4;
        io.Manager = Manager;
        io.Socket = Socket;
        """#
}
