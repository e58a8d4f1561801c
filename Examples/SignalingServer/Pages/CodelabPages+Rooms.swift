// Steps that need two pages, and a server between them.

extension CodelabPages {
    /// What the room of a page is, and how it is told to the other page: by its address.
    private static let joining = #"""
        let room = decodeURIComponent(location.hash.slice(1));
        if (!room) {
          room = [...crypto.getRandomValues(new Uint8Array(8))].map(byte => byte.toString(16).padStart(2, "0")).join("");
          location.hash = room;
        }
        element("room").textContent = room;

        const socket = io.connect();
        socket.on("log", values => console.log(...values));
        socket.on("full", name => show("The room " + name + " is full."));
        """#

    /// A peer connection with the other page of the room. Whoever created the room offers.
    private static let connecting = #"""
        let connection, isCreator = false;
        const send = message => socket.emit("message", message);

        function connect() {
          if (connection) connection.close();
          connection = new RTCPeerConnection();
          connection.onicecandidate = ({candidate}) => { if (candidate) send({type: "candidate", candidate}); };
        }

        async function offer() {
          await connection.setLocalDescription();
          send(connection.localDescription);
        }

        // One message after the other, whatever each takes.
        let handled = Promise.resolve();
        socket.on("message", message => {
          handled = handled.then(() => receive(message)).catch(error => show("Failed: " + error));
        });

        async function receive(message) {
          if (!connection) return;
          if (message.type === "candidate") return connection.addIceCandidate(message.candidate);
          await connection.setRemoteDescription(message);
          if (message.type !== "offer") return;
          await connection.setLocalDescription();
          send(connection.localDescription);
        }

        socket.on("bye", () => {
          if (connection) connection.close();
          connection = undefined;
          isCreator = true;
          show("The other has left. Waiting for somebody.");
        });
        """#

    /// Step 4.
    static let rooms = Step(
        title: "Meet in a room",
        html: """
            <p>This page is in the room <b id="room"></b>. Open the same address in a second tab: they meet there. A third finds the
            room full.</p>
            <p><input id="text" placeholder="Something for the other"> <button id="send">Send</button></p>
            <ul id="events"></ul>
            <p id="status"></p>
            """,
        script: joining + #"""

            function note(text) {
              const item = document.createElement("li");
              item.textContent = text;
              element("events").append(item);
            }

            socket.on("created", () => show("Created the room."));
            socket.on("joined", () => show("Joined the room."));
            socket.on("join", () => note("Another has joined."));
            socket.on("bye", () => note("The other has left."));
            socket.on("message", text => note("The other says: " + text));
            element("send").onclick = () => socket.emit("message", element("text").value);
            socket.on("connect", () => socket.emit("create or join", room));
            """#,
        usesSocketIO: true
    )

    /// Step 5.
    static let call = Step(
        title: "Call between two tabs",
        html: """
            <p>This page is in the room <b id="room"></b>. Open the same address in a second tab to call it.</p>
            <video id="local" autoplay playsinline muted></video>
            <video id="remote" autoplay playsinline muted></video>
            <p id="status"></p>
            """,
        script: joining + "\n" + connecting + #"""

            let stream;

            function begin() {
              connect();
              connection.onconnectionstatechange = () => show("The call is " + connection.connectionState + ".");
              connection.ontrack = ({streams}) => { element("remote").srcObject = streams[0]; };
              for (const track of stream.getTracks()) connection.addTrack(track, stream);
            }

            socket.on("created", () => {
              isCreator = true;
              show("Waiting for somebody.");
            });
            socket.on("joined", () => { isCreator = false; });
            socket.on("ready", async () => {
              begin();
              if (isCreator) await offer();
            });
            socket.on("bye", () => { element("remote").srcObject = null; });

            // Whoever is in the room has a camera: nobody waits for one.
            openCamera()
              .then(opened => {
                stream = opened;
                element("local").srcObject = stream;
                socket.emit("create or join", room);
              })
              .catch(error => show("No camera: " + error.name));
            """#,
        usesSocketIO: true
    )

    /// Step 6.
    static let photos = Step(
        title: "Send photos between two tabs",
        html: """
            <p>This page is in the room <b id="room"></b>. Open the same address in a second tab, snap a photo and send it. It goes over
            a data channel, and the receiver checks that it came as it was sent.</p>
            <video id="local" autoplay playsinline muted></video>
            <canvas id="photo"></canvas>
            <p><button id="snap" disabled>Snap</button> <button id="send" disabled>Send</button></p>
            <p id="status"></p>
            <h2>Photos that came</h2>
            <div id="photos"></div>
            """,
        script: joining + "\n" + connecting + #"""

            // As much as every browser takes in one message, and what may wait to be sent.
            const chunkSize = 16384, maximumBuffered = 1 << 20;
            let channel, photo;

            async function hash(bytes) {
              const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
              return [...digest].map(byte => byte.toString(16).padStart(2, "0")).join("");
            }

            function use(opened) {
              channel = opened;
              channel.binaryType = "arraybuffer";
              channel.bufferedAmountLowThreshold = maximumBuffered / 2;
              const ready = () => {
                element("send").disabled = !photo;
                show("The channel is open.");
              };
              // One that comes from the other side may be open already.
              channel.readyState === "open" ? ready() : channel.onopen = ready;
              channel.onclose = () => { element("send").disabled = true; };
              const chunks = [];
              let announced, size = 0;
              channel.onmessage = async ({data}) => {
                if (typeof data === "string") {
                  announced = JSON.parse(data);
                  chunks.length = size = 0;
                  return;
                }
                chunks.push(data);
                size += data.byteLength;
                if (size < announced.size) return;
                const blob = new Blob(chunks.splice(0), {type: "image/png"});
                await display(blob, announced.hash);
              };
            }

            async function display(blob, expected) {
              const received = await hash(await blob.arrayBuffer());
              const image = new Image();
              image.src = URL.createObjectURL(blob);
              image.dataset.hash = received;
              element("photos").prepend(image);
              show(received === expected ? "A photo came, and is as it was sent: " + received : "A photo came, damaged.");
            }

            element("snap").onclick = () => {
              const video = element("local"), canvas = element("photo");
              canvas.width = video.videoWidth;
              canvas.height = video.videoHeight;
              canvas.getContext("2d").drawImage(video, 0, 0);
              canvas.toBlob(blob => {
                photo = blob;
                element("send").disabled = !channel || channel.readyState !== "open";
                show("Snapped.");
              }, "image/png");
            };

            element("send").onclick = async () => {
              element("send").disabled = true;
              const bytes = await photo.arrayBuffer();
              channel.send(JSON.stringify({size: bytes.byteLength, hash: await hash(bytes)}));
              for (let start = 0; start < bytes.byteLength; start += chunkSize) {
                if (channel.bufferedAmount > maximumBuffered) {
                  await new Promise(resolve => channel.addEventListener("bufferedamountlow", resolve, {once: true}));
                }
                channel.send(bytes.slice(start, start + chunkSize));
              }
              element("send").disabled = false;
              show("Sent a photo: " + await hash(bytes));
            };

            socket.on("created", () => {
              isCreator = true;
              show("Waiting for somebody.");
            });
            socket.on("joined", () => { isCreator = false; });
            socket.on("ready", async () => {
              connect();
              connection.ondatachannel = event => use(event.channel);
              if (!isCreator) return;
              use(connection.createDataChannel("photos"));
              await offer();
            });
            socket.on("connect", () => socket.emit("create or join", room));

            openCamera()
              .then(stream => {
                element("local").srcObject = stream;
                element("local").onloadedmetadata = () => { element("snap").disabled = false; };
              })
              .catch(error => show("No camera: " + error.name));
            """#,
        usesSocketIO: true
    )
}
