import ExampleSupport
import RTCRooms
import RTCSignaling
import RTCSignalingServer

/// `/mesh`: a room of browsers and Swift peers, all connected to all.
enum MeshPage {
    /// Adds the page, its scripts, its rooms, and what there is of them.
    static func add(
        to routes: inout SignalingRoutes,
        _ rooms: RoomService,
        configuration: WebSocketConfiguration
    ) {
        routes.rooms(rooms, webSocket: "/rooms/ws", sockJS: "/rooms/sockjs", configuration: configuration)
        for file in self.files {
            let headers: SignalingHeaders = ["content-type": file.contentType, "cache-control": "no-cache"]
            routes.http(file.path) { _ in SignalingResponse(200, headers: headers, text: file.text) }
        }
        routes.http("/rooms/statistics") { _ in
            let statistics = rooms.statistics
            let json: JSONValue = [
                "rooms": .integer(Int64(statistics.rooms)), "members": .integer(Int64(statistics.members)),
                "connections": .integer(Int64(statistics.connections)),
                "keptBytes": .integer(Int64(statistics.keptBytes)), "messages": .integer(Int64(statistics.messages)),
                "resumptions": .integer(Int64(statistics.resumptions)), "losses": .integer(Int64(statistics.losses)),
            ]
            return SignalingResponse(200, headers: ["content-type": "application/json"], text: json.text)
        }
    }

    /// The page and its scripts, by path.
    private static let files: [(path: String, contentType: String, text: String)] = [
        ("/mesh", "text/html; charset=utf-8", Self.html),
        ("/mesh/signaling-socket.js", "text/javascript; charset=utf-8", SignalingSocketScript.text),
        ("/mesh/room-client.js", "text/javascript; charset=utf-8", RoomClientScript.text),
        ("/mesh/negotiator.js", "text/javascript; charset=utf-8", NegotiatorScript.text),
        ("/mesh/mesh.js", "text/javascript; charset=utf-8", MeshScript.text),
    ]

    private static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <link rel="icon" href="data:,">
        <title>mesh</title>
        <style>
        body { font: 15px/1.4 system-ui, sans-serif; margin: 1rem auto; max-width: 70rem; padding: 0 1rem; }
        form, #controls { display: flex; gap: .5rem; flex-wrap: wrap; margin: .5rem 0; }
        #tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .5rem; }
        figure { margin: 0; border: 1px solid #8888; border-radius: .4rem; padding: .4rem; }
        video { width: 100%; aspect-ratio: 4/3; background: #111; border-radius: .3rem; }
        ul { list-style: none; padding: 0; }
        progress { width: 12rem; }
        </style>
        </head>
        <body>
        <h1>mesh</h1>
        <form id="enter">
        <label>Room <input id="room" required maxlength="64"></label>
        <label>Name <input id="name" required maxlength="64"></label>
        <label><input id="media" type="checkbox" checked> camera and microphone</label>
        <button>Join</button>
        </form>
        <div id="controls" hidden>
        <form id="say"><input id="text" placeholder="Message to all" autocomplete="off"><button>Send</button></form>
        <label>File to all <input id="file" type="file"></label>
        <button id="leave" type="button">Leave</button>
        </div>
        <p><output id="state"></output></p>
        <div id="tiles"></div>
        <ul id="transfers"></ul>
        <ul id="log"></ul>
        <script src="/mesh/signaling-socket.js"></script>
        <script src="/mesh/room-client.js"></script>
        <script src="/mesh/negotiator.js"></script>
        <script src="/mesh/mesh.js"></script>
        <script>
        "use strict";
        const element = (id) => document.getElementById(id);
        const parameters = new URLSearchParams(location.search);
        element("room").value = parameters.get("room") ?? "lobby";
        element("name").value = parameters.get("name") ?? "";

        function line(list, text) {
            const item = document.createElement("li");
            item.textContent = text;
            element(list).prepend(item);
            // Others write here, too, as much as they like.
            while (element(list).children.length > 200) element(list).lastChild.remove();
            return item;
        }

        const view = {
            tile(name) {
                const tile = document.createElement("figure");
                const video = document.createElement("video");
                video.autoplay = video.playsInline = true;
                const caption = document.createElement("figcaption");
                caption.textContent = name;
                tile.append(video, caption);
                element("tiles").append(tile);
                return { tile, video, caption };
            },
            add(peer) { Object.assign(peer, this.tile(peer.member.metadata.name ?? peer.member.id)); },
            remove(peer) { peer.tile.remove(); },
            update(peer) {
                peer.caption.textContent = `${peer.member.metadata.name ?? peer.member.id}: ${peer.connection.connectionState}`;
            },
            track(peer, track, stream) {
                if (peer.video.srcObject) peer.video.srcObject.addTrack(track);
                else peer.video.srcObject = new MediaStream([track]);
            },
            text(name, text) { line("log", `${name}: ${text.slice(0, 4000)}`); },
            progress(name) {
                const item = line("transfers", name + " ");
                const bar = document.createElement("progress");
                item.append(bar);
                return (share) => { bar.value = Math.min(1, share); };
            },
            file(peer, file) {
                const link = document.createElement("a");
                link.href = URL.createObjectURL(file);
                link.download = file.name;
                link.textContent = `${file.name}, ${file.size} bytes, from ${peer.member.metadata.name}`;
                line("log", "").append(link);
                return link;
            },
            forget(link) {
                URL.revokeObjectURL(link.href);
                link.replaceWith(`${link.textContent} (not kept any more)`);
            },
        };

        async function enter(room, name, media) {
            let stream = null;
            if (media) {
                const wanted = { audio: true, video: { width: 320, height: 240, frameRate: 15 } };
                stream = await navigator.mediaDevices.getUserMedia(wanted).catch((error) => void line("log", String(error)));
            }
            if (stream) {
                const own = view.tile(`${name} (you)`);
                own.video.muted = true;
                own.video.srcObject = stream;
                own.tile.id = "own";
            }
            const url = new URL("/rooms/ws", location.href);
            url.protocol = url.protocol.replace("http", "ws");
            const client = new RoomClient(url, room, { name });
            client.requestsURL = new URL("/rooms/sockjs", location.href);
            window.mesh = new Mesh(client, stream, view);
            const words = {
                connecting: () => "Connecting to the server…",
                waiting: ({ reason, delay }) =>
                    `${reason} Next attempt in ${Math.ceil(delay / 1000)} s.${client.member ? " Calls go on meanwhile." : ""}`,
                joined: () => "You are in the room.",
                resumed: () => "You are in the room again; nothing was lost.",
                rejoined: () => "You are in the room again, as a new member.",
                ended: ({ refusal }) => refusal ? `Not in the room any more. ${refusal.reason}` : "You left the room.",
            };
            for (const [type, say] of Object.entries(words)) {
                client.addEventListener(type, ({ detail }) => element("state").textContent = say(detail));
            }
            client.addEventListener("ended", () => {
                stream?.getTracks().forEach((track) => track.stop());
                element("own")?.remove();
                element("controls").hidden = true;
                element("enter").hidden = false;
            });
            element("enter").hidden = true;
            element("controls").hidden = false;
            client.start();
        }

        element("enter").onsubmit = (event) => {
            event.preventDefault();
            enter(element("room").value, element("name").value, element("media").checked);
        };
        element("say").onsubmit = (event) => {
            event.preventDefault();
            const text = element("text").value;
            view.text("you", `${text} (to ${mesh.sendText(text)})`);
            element("text").value = "";
        };
        element("file").onchange = async () => {
            for (const file of element("file").files) await mesh.sendFile(file).catch((error) => line("log", String(error)));
            element("file").value = "";
        };
        element("leave").onclick = () => mesh.room.leave();
        // Others see it at once, not when the server misses this page.
        addEventListener("pagehide", () => window.mesh?.room.leave());
        </script>
        </body>
        </html>
        """#
}
