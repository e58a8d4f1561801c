/// What the page does when somebody uses it.
enum FilesUI {
    static let script = #"""
        const element = (id) => document.getElementById(id);
        const log = (line) => { element("log").textContent += line + "\n"; };
        const show = (bytes, total) => { element("bar").hidden = false; element("bar").value = total ? bytes / total : 1; };

        // The mailbox: relays texts to the other side at a nameplate.
        class Mailbox {
            constructor() {
                const url = location.href.replace(/\/files.*$/, "/mailbox");
                this.socket = new SignalingSocket(url.replace(/^http/, "ws"), url);
                this.opened = new Promise((open, fail) => {
                    this.socket.onopen = open;
                    this.socket.onclose = () => fail(new Error("The server cannot be reached."));
                });
                this.socket.onmessage = (event) => this.on?.(JSON.parse(event.data));
            }
            say(...message) { this.socket.send(JSON.stringify(message)); }
            close() { this.socket.close(); }
        }

        // Pairs and connects; gives the channel. `incoming` hands texts of the other side in, in their order. An inviter names the joiner
        // whom its words are for.
        function connect(role, code, mailbox, incoming, ...joiner) {
            return new Promise((resolve, reject) => {
                const pairing = new Pairing(role, code, (string) => mailbox.say("relay", string, ...joiner));
                const connection = new RTCPeerConnection();
                const early = [];
                const addEarly = async () => { for (const each of early.splice(0)) await connection.addIceCandidate(each).catch(() => {}); };
                const ready = (channel) => {
                    channel.binaryType = "arraybuffer";
                    const opened = () => resolve({ connection, channel });
                    channel.readyState === "open" ? opened() : channel.onopen = opened;
                };
                connection.onicecandidate = ({ candidate }) => {
                    if (candidate) pairing.seal(["candidate", candidate.candidate, candidate.sdpMid ?? "",
                        String(candidate.sdpMLineIndex ?? ""), candidate.usernameFragment ?? ""]);
                };
                connection.ondatachannel = ({ channel }) => ready(channel);
                connection.onconnectionstatechange = () => {
                    if (connection.connectionState === "failed") reject(new Error("No way to the other side was found."));
                };
                const take = async (message) => {
                    if (message[0] === "paired") {
                        log("The other side has the code.");
                        if (role === "inviter") {
                            mailbox.say("confirmed", ...joiner);
                            ready(connection.createDataChannel("file-transfer"));
                            await connection.setLocalDescription();
                            pairing.seal(["offer", connection.localDescription.sdp]);
                        }
                    } else if (message[0] === "offer" && role === "joiner") {
                        await connection.setRemoteDescription({ type: "offer", sdp: message[1] });
                        await addEarly();
                        await connection.setLocalDescription();
                        pairing.seal(["answer", connection.localDescription.sdp]);
                    } else if (message[0] === "answer" && role === "inviter") {
                        await connection.setRemoteDescription({ type: "answer", sdp: message[1] });
                        await addEarly();
                    } else if (message[0] === "candidate") {
                        const candidate = { candidate: message[1], sdpMid: message[2] || null,
                            sdpMLineIndex: message[3] === "" ? null : Number(message[3]), usernameFragment: message[4] || null };
                        if (connection.remoteDescription) await connection.addIceCandidate(candidate).catch(() => {});
                        else if (early.length < 100) early.push(candidate);
                    }
                };
                // One after the other, whatever each waits for.
                let last = pairing.begin();
                incoming((string) => {
                    last = last.then(async () => {
                        const message = await pairing.receive(string);
                        if (message) await take(message);
                    });
                    last.catch((error) => { connection.close(); reject(error); });
                });
            });
        }

        // Files as downloads.
        class Downloads {
            async open(entry) {
                const parts = [];
                return {
                    write: async (bytes) => { parts.push(new Blob([bytes])); },
                    discard: async () => {},
                    close: async () => {
                        const link = document.createElement("a");
                        link.href = URL.createObjectURL(new Blob(parts));
                        link.download = entry.names.at(-1);
                        link.textContent = entry.path;
                        const item = document.createElement("li");
                        item.append(link);
                        element("list").append(item);
                        if (element("list").children.length === 1) link.click();
                    },
                };
            }
        }

        // Files in a folder that the user chose (File System Access).
        class Folder {
            constructor(root) { this.root = root; }
            async folder(names) {
                let current = this.root;
                for (const name of names) current = await current.getDirectoryHandle(name, { create: true });
                return current;
            }
            async open(entry) {
                const folder = await this.folder(entry.names.slice(0, -1));
                const name = entry.names.at(-1);
                if (await folder.getFileHandle(name).then(() => true, () => false)) {
                    throw Object.assign(new Error(WORDS[5]), { kind: 5 });
                }
                const handle = await folder.getFileHandle(name, { create: true });
                const stream = await handle.createWritable();
                return {
                    write: (bytes) => stream.write(bytes),
                    close: () => stream.close(),
                    // A stream that failed has ended already.
                    discard: async () => { await stream.abort().catch(() => {}); await folder.removeEntry(name); },
                };
            }
        }

        async function receiveFiles(code, store) {
            code = code.trim().toLowerCase().split(/[\s-]+/).join("-");
            if (!/^\d{1,9}-[a-z]+-[a-z]+$/.test(code)) throw new Error("A code is a number and two words: 7-crossword-guitar.");
            const mailbox = new Mailbox();
            await mailbox.opened;
            const link = await new Promise((resolve, reject) => {
                let hand = () => {};
                mailbox.on = ([verb, ...rest]) => {
                    if (verb === "claimed") connect("joiner", code, mailbox, (take) => { hand = take; }).then(resolve, reject);
                    else if (verb === "relay") hand(rest[0]);
                    else if (verb === "error") reject(new Error(rest[1]));
                };
                mailbox.say("claim", code.split("-")[0]);
            }).catch((error) => {
                // The place is free for another attempt.
                mailbox.close();
                throw error;
            });
            const receiver = new Receiver((bytes) => link.channel.send(bytes), store, show);
            await new Promise((resolve, reject) => {
                let last = Promise.resolve(), waiting = 0;
                link.channel.onmessage = ({ data }) => {
                    waiting += data.byteLength;
                    // The list may come before the sender knows that there is a window.
                    if (waiting > 4 * WINDOW) {
                        link.connection.close();
                        return reject(problem(9));
                    }
                    last = last.then(() => receiver.receive(data)).then((isOver) => {
                        waiting -= data.byteLength;
                        if (isOver) resolve();
                    });
                    last.catch(reject);
                };
                link.channel.onclose = () => last.then(() => reject(new Error("The connection was lost.")), reject);
            }).then(() => {
                for (const failure of receiver.failures) log(`Not received: ${failure}`);
                log(`Received ${receiver.files} files, ${receiver.bytes} bytes.`);
            }).catch(async (error) => {
                await receiver.abandon();
                throw error;
            }).finally(() => setTimeout(() => { link.connection.close(); mailbox.close(); }, 1000));
        }

        async function sendFiles(files) {
            const mailbox = new Mailbox();
            await mailbox.opened;
            const words = crypto.getRandomValues(new Uint8Array(2));
            let code, hand = () => {}, wrong = 0;
            const link = await new Promise((resolve, reject) => {
                mailbox.on = ([verb, ...rest]) => {
                    if (verb === "allocated") {
                        code = `${rest[0]}-${WORD_LISTS[0][words[0]]}-${WORD_LISTS[1][words[1]]}`;
                        element("given").textContent = code;
                        element("shown").hidden = false;
                    } else if (verb === "joined" && wrong < 3) {
                        const [joiner] = rest;
                        connect("inviter", code, mailbox, (take) => { hand = take; }, joiner).then(resolve, (error) => {
                            mailbox.say("failed", joiner);
                            log(String(error.message));
                            if (error.isWrongCode && ++wrong === 3) reject(new Error("Three came with wrong codes: the code is not valid any more."));
                        });
                    } else if (verb === "relay") hand(rest[0]);
                    else if (verb === "error" || verb === "locked") reject(new Error(rest[1] ?? "The code is locked."));
                };
                mailbox.say("allocate");
            }).catch((error) => {
                // Nobody can come any more.
                mailbox.close();
                throw error;
            });
            const { channel } = link;
            channel.bufferedAmountLowThreshold = 1 << 20;
            let lose = () => {};
            const sender = new Sender(files, async (bytes) => {
                channel.send(bytes);
                if (channel.bufferedAmount > 4 << 20) {
                    await new Promise((low, fail) => { channel.onbufferedamountlow = low; lose = fail; });
                }
            }, show);
            channel.onmessage = ({ data }) => {
                try { sender.receive(data); } catch (error) { sender.fail(error); }
            };
            channel.onclose = () => {
                const error = new Error("The connection was lost.");
                sender.fail(error);
                lose(error);
            };
            await sender.run();
            for (const failure of sender.failures) log(`Not sent: ${failure}`);
            log(`Sent ${files.length - sender.failures.length} files.`);
            link.connection.close();
            mailbox.close();
        }

        // One thing at a time: a second press would be another guess of the code, and only three may be wrong.
        let isBusy = false;
        async function attempt(words, work) {
            if (isBusy) return;
            const become = (busy, said) => {
                isBusy = busy;
                for (const button of document.querySelectorAll("button")) button.disabled = busy;
                element("state").textContent = said;
            };
            become(true, `${words} The buttons come back when it is over.`);
            try {
                await work();
            } catch (error) {
                log(`Failed: ${error.message}`);
            } finally {
                become(false, "");
            }
        }
        element("receive").onclick = () => attempt("Receiving.", () => receiveFiles(element("code").value, new Downloads()));
        element("send").onclick = () => attempt("Sending.", async () => {
            if (!element("files").files.length) throw new Error("Choose the files first.");
            await sendFiles([...element("files").files]);
        });
        if (window.showDirectoryPicker) {
            element("folder").hidden = false;
            element("folder").onclick = () => attempt("Receiving into a folder.", async () =>
                receiveFiles(element("code").value, new Folder(await showDirectoryPicker({ mode: "readwrite" }))));
        }
        if (location.hash.length > 1) element("code").value = decodeURIComponent(location.hash.slice(1));
        if (!window.isSecureContext) {
            log("This page needs https, or an address on this machine: the browser has no cryptography otherwise.");
        }
        """# + "\n"
}
