/// `/mesh/negotiator.js`: perfect negotiation in JavaScript, as the package's `Negotiator` speaks it (Documentation/Rooms.md).
enum NegotiatorScript {
    static let text = #"""
        "use strict";

        class Negotiator {
            // `send` hands a message on to the other side; `gaveUp` is called when the connection is lost for good.
            constructor(connection, { call, isPolite, firstOfferDelay = 0, send, gaveUp }) {
                Object.assign(this, { connection, call, isPolite, gaveUp });
                this.sendMessage = (message) => this.isEnded || send({ call, ...message });
                this.offersFrom = performance.now() + firstOfferDelay;
                this.lastOffer = this.answered = this.collisions = this.restarts = 0;
                this.outstanding = null;
                this.chain = Promise.resolve();
                connection.addEventListener("negotiationneeded", () => this.needOffer());
                connection.addEventListener("icecandidate", ({ candidate }) => candidate && this.then(() => this.sendCandidate(candidate)));
                connection.addEventListener("connectionstatechange", () => this.watch());
            }

            // One step after the other, whatever comes meanwhile.
            then(step) {
                this.chain = this.chain.then(() => this.isEnded || step()).catch((error) => console.warn(String(error)));
            }

            receive(message) { if (message.call === this.call) this.then(() => this.process(message)); }

            needOffer() {
                this.needsOffer = true;
                this.then(() => this.offerIfNeeded());
            }

            restart() { this.connection.restartIce(); }

            close(reason = "") {
                this.sendMessage({ type: "bye", reason });
                this.end();
            }

            end() {
                this.isEnded = true;
                clearTimeout(this.answerTimer);
                clearTimeout(this.offerTimer);
                clearTimeout(this.restartTimer);
                this.connection.close();
            }

            sendCandidate(candidate) {
                const usernameFragment = candidate.usernameFragment;
                if (!candidate.candidate) return this.sendMessage({ type: "end-of-candidates", usernameFragment });
                this.sendMessage({ type: "candidate", ...candidate.toJSON() });
            }

            async offerIfNeeded() {
                if (!this.needsOffer || this.outstanding || this.comparing) return;
                const wait = this.offersFrom - performance.now();
                if (wait > 0) {
                    clearTimeout(this.offerTimer);
                    this.offerTimer = setTimeout(() => this.then(() => this.offerIfNeeded()), wait);
                    return;
                }
                this.needsOffer = false;
                await this.connection.setLocalDescription();
                this.outstanding = ++this.lastOffer;
                // First the wait: an offer that cannot be sent is one that is not answered.
                this.expectAnswer();
                this.sendOffer();
            }

            sendOffer() {
                const { sdp } = this.connection.localDescription;
                this.sendMessage({ type: "offer", sdp, number: this.outstanding, answered: this.answered });
            }

            sendAnswer() {
                const { type, sdp } = this.connection.currentLocalDescription ?? {};
                if (type === "answer") this.sendMessage({ type, sdp, number: this.answered });
            }

            expectAnswer(delay = 10000) {
                clearTimeout(this.answerTimer);
                this.answerTimer = setTimeout(() => this.then(() => {
                    if (!this.outstanding) return;
                    this.compare();
                    this.expectAnswer(Math.min(60000, delay * 2));
                }), delay);
            }

            async process(message) {
                switch (message.type) {
                    case "offer": await this.takeOffer(message); break;
                    case "answer":
                        if (message.number !== this.outstanding) break;
                        await this.connection.setRemoteDescription(message);
                        this.outstanding = null;
                        this.ignoresOffer = false;
                        break;
                    case "candidate":
                        // Those of offers that gave way fit no description any more.
                        if (!this.ignoresOffer || message.usernameFragment) await this.connection.addIceCandidate(message).catch(() => {});
                        break;
                    case "end-of-candidates": break;
                    case "restart": this.restart(); break;
                    case "synchronise": this.takePosition(message); break;
                    case "bye": this.end(); break;
                }
                await this.offerIfNeeded();
            }

            async takeOffer({ sdp, number, answered }) {
                if (number <= this.answered) return number === this.answered && this.mayRepeat() && this.sendAnswer();
                if (this.outstanding) {
                    // Ours was answered: to take it back now would tear the two apart.
                    if (answered >= this.outstanding) return this.mayRepeat() && this.compare();
                    this.collisions += 1;
                    if (!this.isPolite) return void (this.ignoresOffer = true);
                }
                this.ignoresOffer = false;
                this.outstanding = null;
                this.needsOffer = false;
                await this.connection.setRemoteDescription({ type: "offer", sdp });
                await this.connection.setLocalDescription();
                this.answered = number;
                this.sendAnswer();
            }

            // Messages may be lost: both say where they stand, and repeat what is missing.
            compare() {
                this.comparing = true;
                setTimeout(() => { this.comparing = false; }, 10000);
                this.sendPosition(true);
            }

            sendPosition(wantsReply) {
                const offer = this.outstanding ?? undefined;
                this.sendMessage({ type: "synchronise", offer, answered: this.answered, wantsReply });
            }

            // Says again what is asked for, but not however often it is: four times at once, then once a second.
            mayRepeat() {
                const now = performance.now();
                this.repetitions = Math.min(4, (this.repetitions ?? 4) + (now - (this.lastRepetition ?? now)) / 1000);
                this.lastRepetition = now;
                if (this.repetitions < 1) return false;
                this.repetitions -= 1;
                return true;
            }

            takePosition({ offer, answered, wantsReply }) {
                if (!this.comparing && !this.mayRepeat()) return;
                if (wantsReply) this.sendPosition(false);
                this.comparing = false;
                if (offer !== undefined && offer === this.answered) return this.sendAnswer();
                if (this.outstanding) {
                    if (answered < this.outstanding) this.sendOffer();
                } else if (offer === undefined && this.connection.connectionState !== "connected" && !this.isPolite) {
                    this.needsOffer = true;
                }
            }

            // Restarts ICE when the connection is lost, more slowly each time; the polite side lets the other go first.
            watch() {
                clearTimeout(this.restartTimer);
                const state = this.connection.connectionState;
                if (state === "connected") this.restarts = 0;
                if (state !== "disconnected" && state !== "failed") return;
                if (this.restarts >= 6 || this.connection.sctp?.state === "closed") {
                    if (state === "failed") this.gaveUp?.();
                    return;
                }
                const delay = (state === "failed" ? 1000 * 2 ** this.restarts : 4000) + (this.isPolite ? 1500 : 0);
                this.restartTimer = setTimeout(() => {
                    this.restarts += 1;
                    this.restart();
                    this.restartTimer = setTimeout(() => this.watch(), 20000);
                }, delay);
            }
        }
        """#
}
