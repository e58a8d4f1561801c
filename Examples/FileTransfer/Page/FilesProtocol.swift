/// The protocol of files in a page: what `FileTransferSender` and `FileTransferReceiver` are in Swift.
enum FilesProtocol {
    static let script = #"""
        const CHUNK = 131072, HASH = 32;
        const CODE = { hello: 1, entry: 2, manifestEnd: 3, fileBegin: 4, chunk: 5, hole: 6, fileEnd: 7, fileSame: 8,
            fileAborted: 9, end: 10, have: 20, skip: 21, start: 22, progress: 23, fileFailed: 24, complete: 25, taken: 26,
            failed: 30 };
        // A list has no more entries, a path no more bytes and names, all paths no more bytes together.
        const LIMITS = { entries: 100000, path: 4096, names: 256, paths: 32 << 20 };
        // How much may be on its way to a page, which cannot close its channel's window.
        const WINDOW = 16 << 20;
        const WORDS = ["it failed", "the file changed while it was sent", "the file is not there any more", "permission denied",
            "no space left on the disk", "another file of that name is there", "something of that name is in the way",
            "the file system does not take the name", "the disk failed", "the other side broke the protocol",
            "what arrived is not what was sent", "there are too many files", "the file system is read-only",
            "a path leads out of the folder", "the other side speaks another version", "it was ended",
            "it is no file or folder"];

        const number = (value, size) => toBytes(BigInt(value), size);
        const frame = (kind, ...parts) => {
            const body = join(...parts);
            return join(Uint8Array.of(CODE[kind]), number(body.length, 4), body);
        };
        const problem = (kind) => Object.assign(new Error(WORDS[kind]), { kind });
        // What a browser's error is to the other side; undefined for what came from there.
        function kindOf(error) {
            if (error.kind !== undefined || error.isTheirs) return error.kind;
            if (error instanceof RangeError) return 9;
            if (error.name === "QuotaExceededError") return 4;
            return error.name === "NotAllowedError" ? 3 : error instanceof DOMException ? 8 : 0;
        }
        const theirs = (body) => Object.assign(new Error("On the other side: " + problemOf(body)), { isTheirs: true });
        const problemFrame = (kind, ...parts) => frame("failed", Uint8Array.of(kind), ...parts);
        const hello = () => frame("hello", Uint8Array.of(1), number(CHUNK, 4));

        // The frames of a message.
        function* frames(message) {
            const view = new DataView(message);
            let at = 0;
            while (at < message.byteLength) {
                const kind = view.getUint8(at), size = view.getUint32(at + 1);
                if (at + 5 + size > message.byteLength) throw problem(9);
                yield { kind, body: new Uint8Array(message, at + 5, size), view: new DataView(message, at + 5, size) };
                at += 5 + size;
            }
        }
        function problemOf(bytes) {
            const detail = new TextDecoder().decode(bytes.slice(1));
            return (WORDS[bytes[0]] ?? WORDS[0]) + (detail ? ` (${detail})` : "");
        }

        // The hash tree of Documentation/FileTransfer.md.
        class HashTree {
            constructor() { this.count = 0; this.peaks = []; }
            async append(leaf) {
                let peak = { level: 0, hash: leaf };
                this.count++;
                while (this.peaks.length && this.peaks.at(-1).level === peak.level) {
                    const left = this.peaks.pop();
                    peak = { level: peak.level + 1, hash: await sha256(join(Uint8Array.of(1), left.hash, peak.hash)) };
                }
                this.peaks.push(peak);
            }
            async root(size) {
                let top = this.peaks.length ? this.peaks.at(-1).hash : new Uint8Array();
                for (const peak of this.peaks.slice(0, -1).reverse()) top = await sha256(join(Uint8Array.of(1), peak.hash, top));
                return sha256(join(Uint8Array.of(2), number(size, 8), top));
            }
        }

        // Takes a sender's messages one after the other; `store` makes the files.
        class Receiver {
            constructor(send, store, show) {
                Object.assign(this, { send, store, show, entries: [], pathBytes: 0, bytes: 0, files: 0, total: 0, failures: [] });
                Object.assign(this, { taken: 0, toldTaken: 0 });
                send(join(hello(), frame("taken", number(0, 8))));
            }
            // True at the end. What goes wrong here is told to the other side.
            async receive(message) {
                try {
                    for (const each of frames(message)) if (await this.take(each)) return true;
                } catch (error) {
                    const kind = kindOf(error);
                    if (kind === undefined) throw error;
                    this.send(problemFrame(kind, text(kind ? "" : String(error.message).slice(0, 200))));
                    throw kind ? problem(kind) : error;
                }
                if (this.index !== undefined || this.files) this.report();
                this.taken += message.byteLength;
                if (this.taken - this.toldTaken >= WINDOW / 8) {
                    this.toldTaken = this.taken;
                    this.send(frame("taken", number(this.taken, 8)));
                }
                return false;
            }
            report(now = false) {
                this.show(this.bytes, this.total);
                if (now || this.bytes - (this.reported ?? 0) >= 2 << 20) {
                    this.reported = this.bytes;
                    this.send(frame("progress", number(this.bytes, 8), number(this.files, 4)));
                }
            }
            fail(kind) { throw problem(kind); }
            async take({ kind, body, view }) {
                switch (kind) {
                case CODE.hello: if (body[0] !== 1 || view.getUint32(1) !== CHUNK) this.fail(14); break;
                case CODE.entry: this.addEntry(body, view); break;
                case CODE.manifestEnd: await this.begin(view); break;
                case CODE.fileBegin: await this.beginFile(view); break;
                case CODE.chunk: if (!this.isIgnoring) await this.write(body.slice(HASH), body.slice(0, HASH)); break;
                case CODE.hole: if (!this.isIgnoring) await this.leaveHole(view.getBigUint64(0)); break;
                case CODE.fileEnd: if (!this.isIgnoring) await this.finishFile(body); this.isIgnoring = false; break;
                case CODE.fileAborted: {
                    const index = view.getUint32(0);
                    // It was told as failed already.
                    if (this.isIgnoring && index === this.index) { this.isIgnoring = false; break; }
                    this.failures.push(`${this.entries[index]?.path}: ${problemOf(body.slice(4))}`);
                    await this.file?.discard();
                    this.file = undefined;
                    break;
                }
                case CODE.end:
                    if (this.file) this.fail(9);
                    await this.store.finish?.();
                    this.report(true);
                    this.send(frame("complete", number(this.files, 4), number(this.failures.length, 4)));
                    return true;
                case CODE.failed: throw theirs(body);
                default: this.fail(9);
                }
                return false;
            }
            addEntry(body, view) {
                if (body.length < 23) this.fail(9);
                this.pathBytes += body.length - 23;
                if (this.entries.length >= LIMITS.entries || this.pathBytes > LIMITS.paths) this.fail(11);
                if (body.length - 23 > LIMITS.path) this.fail(13);
                let path;
                try { path = new TextDecoder("utf-8", { fatal: true }).decode(body.slice(23)); }
                // A browser has no names that are no text.
                catch { path = Array.from(body.slice(23), (b) => b < 128 ? String.fromCharCode(b) : "%" + b.toString(16)).join(""); }
                const names = path.split("/");
                if (names.length > LIMITS.names || names.some((name) => !name || name === "." || name === ".." || name.includes("\0"))) {
                    this.fail(13);
                }
                this.entries.push({ isFolder: body[0] === 1, path, names, size: Number(view.getBigUint64(15)) });
            }
            async begin(view) {
                if (view.getUint32(0) !== this.entries.length) this.fail(9);
                this.total = Number(view.getBigUint64(4));
                for (const entry of this.entries) if (entry.isFolder) await this.store.folder?.(entry.names);
                this.send(frame("start"));
            }
            async beginFile(view) {
                this.index = view.getUint32(0);
                const entry = this.entries[this.index];
                if (!entry || entry.isFolder || this.file || view.getBigUint64(4) !== 0n) this.fail(9);
                this.tree = new HashTree();
                this.written = 0;
                this.isIgnoring = false;
                try {
                    this.file = await this.store.open(entry);
                } catch (error) {
                    // The others go on.
                    this.isIgnoring = true;
                    this.failures.push(`${entry.path}: ${error.message}`);
                    this.send(frame("fileFailed", number(this.index, 4), Uint8Array.of(error.kind ?? 0)));
                }
            }
            // Leaves nothing behind of a file that is not complete.
            async abandon() {
                const file = this.file;
                this.file = undefined;
                await file?.discard().catch(() => {});
            }
            async write(bytes, hash) {
                const entry = this.entries[this.index];
                if (!this.file || bytes.length !== Math.min(CHUNK, entry.size - this.written) || !bytes.length) this.fail(9);
                if (!equal(await sha256(bytes), hash)) this.fail(10);
                await this.tree.append(hash);
                await this.file.write(bytes);
                this.written += bytes.length;
                this.bytes += bytes.length;
            }
            async leaveHole(chunks) {
                for (let left = chunks; left > 0n; left--) {
                    const size = Math.min(CHUNK, this.entries[this.index].size - this.written);
                    const zeros = new Uint8Array(size);
                    await this.write(zeros, await sha256(zeros));
                }
            }
            async finishFile(root) {
                const entry = this.entries[this.index];
                if (!this.file || this.written !== entry.size) this.fail(9);
                if (!equal(await this.tree.root(entry.size), root)) this.fail(10);
                await this.file.close();
                this.file = undefined;
                this.files++;
            }
        }

        // Sends files as messages; `carry` waits while too much waits already.
        class Sender {
            constructor(files, carry, show) {
                Object.assign(this, { files, carry, show, skipped: new Set(), failures: [], sent: 0 });
                this.total = files.reduce((sum, file) => sum + file.size, 0);
                this.started = new Promise((start, fail) => Object.assign(this, { start, failStart: fail }));
                this.completed = new Promise((complete, fail) => Object.assign(this, { complete, failEnd: fail }));
                this.completed.catch(() => {});
                this.started.catch(() => {});
            }
            receive(message) {
                for (const { kind, body, view } of frames(message)) {
                    if (kind === CODE.start) this.start();
                    else if (kind === CODE.progress) this.show(Number(view.getBigUint64(0)), this.total);
                    else if (kind === CODE.skip || kind === CODE.fileFailed) {
                        this.skipped.add(view.getUint32(0));
                        this.failures.push(`${this.files[view.getUint32(0)]?.name}: ${problemOf(body.slice(4))}`);
                    } else if (kind === CODE.complete) this.complete();
                    else if (kind === CODE.taken) {
                        this.taken = Number(view.getBigUint64(0));
                        this.goOn?.();
                    } else if (kind === CODE.failed) this.fail(theirs(body));
                }
            }
            fail(error) { this.failStart(error); this.failEnd(error); this.failure = error; this.goOn?.(); }
            // Waits for a receiver that says what it has dealt with.
            async send(bytes) {
                while (this.taken !== undefined && this.sent - this.taken >= WINDOW && !this.failure) {
                    await new Promise((goOn) => { this.goOn = goOn; });
                }
                if (this.failure) throw this.failure;
                this.sent += bytes.length;
                await this.carry(bytes);
            }
            async run() {
                const pathOf = (file) => text(file.webkitRelativePath || file.name);
                await this.send(hello());
                for (const file of this.files) {
                    const time = BigInt(file.lastModified);
                    await this.send(frame("entry", Uint8Array.of(0), number(0o644, 2), number(time / 1000n, 8),
                        number(time % 1000n * 1000000n, 4), number(file.size, 8), pathOf(file)));
                }
                await this.send(frame("manifestEnd", number(this.files.length, 4), number(this.total, 8)));
                await this.started;
                for (const [index, file] of this.files.entries()) if (!this.skipped.has(index)) await this.sendFile(index, file);
                await this.send(frame("end"));
                await this.completed;
            }
            // What the receiver has of it already is sent again: it keeps nothing that is not asked about.
            async sendFile(index, file) {
                const tree = new HashTree();
                await this.send(frame("fileBegin", number(index, 4), number(0, 8)));
                for (let at = 0; at < file.size; at += CHUNK) {
                    const bytes = new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer());
                    const hash = await sha256(bytes);
                    await tree.append(hash);
                    await this.send(frame("chunk", hash, bytes));
                    if (this.skipped.has(index)) return;
                }
                await this.send(frame("fileEnd", await tree.root(file.size)));
            }
        }
        """# + "\n"
}
