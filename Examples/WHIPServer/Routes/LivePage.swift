import ExampleSupport

/// A publisher and a viewer, whose server has `whip` and `whep` beside the page.
enum LivePage {
    /// The page's HTML, UTF-8.
    static let html = MediaPage.html(
        title: "live",
        attributes: "muted controls",
        hint: "Publish the camera under a name, or watch what is published there.",
        controls: #"""
            <label>Name <input id="name" value="stage"></label>
            <label>Token <input id="token" type="password"></label>
            <button id="watch" type="button">Watch</button>
            """#,
        button: "Publish",
        script: Self.script
    )

    private static let script = #"""
        // A session at a WHIP or WHEP server (RFC 9725, draft-ietf-wish-whep).
        class MediaSession {
          constructor(peer, endpoint, token) {
            this.peer = peer;
            this.endpoint = endpoint;
            this.token = token;
            this.resource = null;
            this.tag = null;
            this.found = [];
            this.isBusy = false;
            peer.addEventListener("icecandidate", event => { this.found.push(event.candidate); this.trickle(); });
          }

          send(method, url, type, body, headers = {}) {
            if (this.token) headers["authorization"] = `Bearer ${this.token}`;
            if (type) headers["content-type"] = type;
            return fetch(url, { method, body, headers });
          }

          async open() {
            const peer = this.peer;
            this.isBusy = true;
            await peer.setLocalDescription();
            const response = await this.send("POST", this.endpoint, "application/sdp", peer.localDescription.sdp);
            const sdp = await response.text();
            if (response.status !== 201 && response.status !== 406) throw new Error(`${response.status} ${sdp}`);
            this.resource = new URL(response.headers.get("location"), response.url);
            this.tag = response.headers.get("etag");
            this.servers = response.headers.get("link");
            if (response.status === 406) {
              await peer.setLocalDescription({ type: "rollback" });
              for (const transceiver of peer.getTransceivers()) transceiver.stop();
              await peer.setRemoteDescription({ type: "offer", sdp });
              await peer.setLocalDescription();
              const answered = await this.send("PATCH", this.resource, "application/sdp", peer.localDescription.sdp);
              if (!answered.ok) throw new Error(`${answered.status} ${await answered.text()}`);
            } else {
              await peer.setRemoteDescription({ type: "answer", sdp });
            }
            this.isBusy = false;
            await this.trickle();
          }

          // The lines about ICE that a fragment has (RFC 8840).
          fragment(candidates) {
            const lines = this.peer.localDescription.sdp.split("\r\n");
            const own = prefix => lines.find(line => line.startsWith(prefix)) ?? "";
            return [own("a=ice-options:"), own("a=group:BUNDLE"), own("m="), own("a=mid:"), own("a=ice-ufrag:"), own("a=ice-pwd:"),
              ...candidates.map(candidate => candidate === null || candidate.candidate === "" ? "a=end-of-candidates"
                : `a=${candidate.candidate}`), ""].filter((line, index, all) => line !== "" || index === all.length - 1).join("\r\n");
          }

          async trickle() {
            if (this.isBusy || this.resource === null || this.found.length === 0) return;
            this.isBusy = true;
            try {
              const body = this.fragment(this.found.splice(0));
              await this.send("PATCH", this.resource, "application/trickle-ice-sdpfrag", body, { "if-match": this.tag });
            } finally {
              this.isBusy = false;
            }
            await this.trickle();
          }

          async restart() {
            const peer = this.peer;
            let remote = peer.currentRemoteDescription.sdp;
            if (peer.currentRemoteDescription.type === "offer") {
              // As an answer it must name the role in DTLS that it has.
              const role = peer.currentLocalDescription.sdp.includes("a=setup:active") ? "passive" : "active";
              remote = remote.replaceAll("a=setup:actpass", `a=setup:${role}`);
            }
            this.isBusy = true;
            try {
              this.found = [];
              await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
              const body = this.fragment(this.found.splice(0));
              const response = await this.send("PATCH", this.resource, "application/trickle-ice-sdpfrag", body, { "if-match": "*" });
              if (!response.ok) {
                await peer.setLocalDescription({ type: "rollback" });
                throw new Error(`${response.status} ${await response.text()}`);
              }
              const lines = (await response.text()).split("\r\n");
              this.tag = response.headers.get("etag");
              const fresh = prefix => lines.find(line => line.startsWith(prefix));
              const candidates = lines.filter(line => line.startsWith("a=candidate:"));
              const sdp = remote.split("\r\n")
                .filter(line => !line.startsWith("a=candidate:") && line !== "a=end-of-candidates")
                .flatMap(line => line.startsWith("a=ice-ufrag:") ? [fresh("a=ice-ufrag:"), ...candidates.splice(0)]
                  : line.startsWith("a=ice-pwd:") ? [fresh("a=ice-pwd:")] : [line]).join("\r\n");
              await peer.setRemoteDescription({ type: "answer", sdp });
            } finally {
              this.isBusy = false;
            }
            await this.trickle();
          }

          async close() {
            this.peer.close();
            // A server that is gone needs no goodbye, and must not be in the way of what comes next.
            if (this.resource !== null) await this.send("DELETE", this.resource).catch(() => {});
          }
        }

        let session = null;

        async function begin(path, token, prepare) {
          if (session !== null) await session.close();
          const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
          session = new MediaSession(peer, new URL(path, location.href), token);
          peer.addEventListener("connectionstatechange", () => {
            state.textContent = peer.connectionState;
            if (peer.connectionState === "disconnected") session.restart().catch(error => { state.textContent = error.message; });
          });
          prepare(peer);
          try {
            await session.open();
          } catch (error) {
            state.textContent = error.message;
            throw error;
          }
          return session;
        }

        function publish(name, token, media) {
          video.srcObject = media;
          return begin(`whip/${encodeURIComponent(name)}`, token, peer => {
            for (const track of media.getTracks()) peer.addTransceiver(track, { direction: "sendonly", streams: [media] });
          });
        }

        function watch(name, token) {
          const stream = new MediaStream();
          video.srcObject = stream;
          return begin(`whep/${encodeURIComponent(name)}`, token, peer => {
            peer.addEventListener("track", event => stream.addTrack(event.track));
            for (const kind of ["audio", "video"]) peer.addTransceiver(kind, { direction: "recvonly" });
          });
        }

        const field = id => document.getElementById(id).value;
        button.addEventListener("click", async () => {
          publish(field("name"), field("token"), await navigator.mediaDevices.getUserMedia({ video: true, audio: true }));
        });
        document.getElementById("watch").addEventListener("click", () => watch(field("name"), field("token")));
        """#
}
