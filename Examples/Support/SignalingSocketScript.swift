/// A script for pages: a socket that gets through where WebSockets do not.
package enum SignalingSocketScript {
    /// The script; it has `SignalingSocket`, to be used like a `WebSocket` of texts.
    package static let text = #"""
        "use strict";

        // A socket over requests: SockJS's transport "xhr". One request waits for what comes, another brings what goes.
        class RequestSocket {
            // The most characters that go in one request, but for a longer message.
            static batch = 16384;

            constructor(url) {
                const digits = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
                this.url = `${url}/000/${digits.join("")}`;
                this.waiting = [];
                this.isOver = this.isClosing = this.isSending = false;
                this.stop = new AbortController();
                this.poll();
            }

            async poll() {
                try {
                    while (!this.isOver) {
                        const response = await this.post("/xhr", "", { signal: this.stop.signal });
                        for (const frame of (await response.text()).split("\n")) this.take(frame);
                    }
                } catch {}
                this.end();
            }

            async post(path, body, options) {
                const response = await fetch(this.url + path, { method: "POST", body, ...options });
                if (!response.ok) throw new Error(response.status);
                return response;
            }

            take(frame) {
                if (this.isOver || this.isClosing) return;
                if (frame[0] === "o") this.onopen?.();
                else if (frame[0] === "a") for (const data of JSON.parse(frame.slice(1))) this.onmessage?.({ data });
                else if (frame[0] === "c") this.end();
            }

            send(text) {
                if (this.isOver || this.isClosing) return;
                this.waiting.push(text);
                this.flush();
            }

            async flush() {
                if (this.isSending) return;
                this.isSending = true;
                try {
                    while (this.waiting.length > 0 && !this.isOver) await this.bring(this.waiting.splice(0, this.batchLength()));
                } catch {
                    this.end();
                }
                this.isSending = false;
                if (this.isClosing) this.end();
            }

            batchLength() {
                let [count, size] = [0, 0];
                while (count < this.waiting.length && (count === 0 || size + this.waiting[count].length <= RequestSocket.batch)) {
                    size += this.waiting[count++].length;
                }
                return count;
            }

            bring(texts) {
                const body = JSON.stringify(texts);
                // What is short goes out though the page may be gone: its last words do.
                return this.post("/xhr_send", body, { keepalive: body.length < 1024 });
            }

            // The server misses a session that asks for nothing any more.
            close() {
                if (this.isClosing || this.isOver) return;
                this.isClosing = true;
                // There may be no time to wait for the request before.
                if (this.waiting.length > 0) this.bring(this.waiting.splice(0)).catch(() => {}).then(() => this.end());
                else this.flush();
            }

            end() {
                if (this.isOver) return;
                this.isOver = true;
                this.stop.abort();
                this.onclose?.();
            }
        }

        // A WebSocket, or requests to the second URL where none is opened, as behind some proxies.
        class SignalingSocket {
            // How long a WebSocket may take, and how long none is tried again once requests came through in its place; in milliseconds.
            static times = { attempt: 5000, blocked: 300000 };
            static blockedUntil = -Infinity;

            constructor(url, requestsURL) {
                this.requestsURL = requestsURL;
                if (requestsURL && performance.now() < SignalingSocket.blockedUntil) {
                    this.fallBack();
                } else {
                    if (requestsURL) this.timer = setTimeout(() => this.fallBack(), SignalingSocket.times.attempt);
                    this.use(new WebSocket(url));
                }
            }

            use(socket) {
                this.socket = socket;
                socket.onopen = () => socket === this.socket && this.opened();
                socket.onmessage = (event) => socket === this.socket && this.onmessage?.(event);
                socket.onclose = () => socket === this.socket && this.closed();
            }

            get isFallback() { return this.socket instanceof RequestSocket; }

            opened() {
                clearTimeout(this.timer);
                this.isOpen = true;
                if (this.isFallback) SignalingSocket.blockedUntil = performance.now() + SignalingSocket.times.blocked;
                this.onopen?.();
            }

            closed() {
                clearTimeout(this.timer);
                if (this.isOpen || this.isClosing || this.isFallback || !this.requestsURL) this.onclose?.();
                else this.fallBack();
            }

            fallBack() {
                clearTimeout(this.timer);
                const webSocket = this.socket;
                this.use(new RequestSocket(this.requestsURL));
                webSocket?.close();
            }

            send(text) { this.socket.send(text); }

            close() {
                clearTimeout(this.timer);
                this.isClosing = true;
                this.socket.close();
            }
        }
        """# + "\n"
}
