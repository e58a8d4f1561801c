extension Page {
    /// Script: connecting, with camera and microphone or without, and the end.
    static let connectingScript = #"""
        "use strict";
        const $ = id => document.getElementById(id);
        let peer = null, chat = null, burst = null, statsTimer = 0, waiting = [], run = null;

        const show = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };
        const milliseconds = value => value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
        const bytes = value => {
          if (value === undefined) return "–";
          const units = ["B", "KiB", "MiB", "GiB"];
          let unit = 0;
          while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
          return (unit === 0 ? value : value.toFixed(1)) + " " + units[unit];
        };

        function showState() {
          const state = peer === null ? "closed" : peer.connectionState;
          show("state", state);
          $("state").dataset.state = state;
          show("ice-state", peer === null ? "closed" : peer.iceConnectionState);
          show("channel-state", chat === null ? "–" : chat.readyState);
          const open = chat !== null && chat.readyState === "open";
          $("message").disabled = $("send").disabled = !open;
          $("burst-start").disabled = !(burst !== null && burst.readyState === "open") || run !== null;
          $("with-media").disabled = peer !== null;
          $("connect").textContent = peer === null ? "Connect" : "Disconnect";
          $("connect").classList.toggle("primary", peer === null);
        }

        // MARK: Connecting

        function gathered(connection) {
          return new Promise(resolve => {
            const check = () => { if (connection.iceGatheringState === "complete") resolve(); };
            connection.addEventListener("icegatheringstatechange", check);
            // A STUN server that does not answer must not hold the page up.
            setTimeout(resolve, 3000);
            check();
          });
        }

        // MARK: Camera and microphone

        let media = null;

        async function addMedia(connection) {
          media = await navigator.mediaDevices.getUserMedia({
            video: true, audio: { echoCancellation: false },
          });
          const returned = new MediaStream();
          connection.addEventListener("track", event => returned.addTrack(event.track));
          for (const track of media.getTracks()) connection.addTrack(track, media);
          $("own-video").srcObject = media;
          $("echo-video").srcObject = returned;
          $("pictures").hidden = false;
        }

        function removeMedia() {
          for (const track of media === null ? [] : media.getTracks()) track.stop();
          media = null;
          $("pictures").hidden = true;
          $("own-video").srcObject = $("echo-video").srcObject = null;
        }

        async function connect() {
          show("error", "");
          const started = performance.now();
          const connection = new RTCPeerConnection();
          peer = connection;
          chat = connection.createDataChannel("chat");
          burst = connection.createDataChannel("burst");
          burst.binaryType = "arraybuffer";
          connection.addEventListener("connectionstatechange", () => {
            if (peer !== connection) return;
            if (connection.connectionState === "failed") disconnect("The connection failed: no candidate pair works.");
            else if (connection.connectionState === "closed") disconnect();
            else showState();
          });
          connection.addEventListener("iceconnectionstatechange", () => { if (peer === connection) showState(); });
          for (const channel of [chat, burst]) {
            channel.addEventListener("open", () => {
              if (channel === chat) show("connect-time", milliseconds(performance.now() - started) + " ms");
              showState();
              showStats();
            });
            channel.addEventListener("close", () => {
              if (peer === connection) disconnect("The server closed the connection.");
            });
          }
          chat.addEventListener("message", event => chatEcho(event.data));
          burst.addEventListener("message", event => burstEcho(event.data));
          showState();
          try {
            if ($("with-media").checked) await addMedia(connection);
            await connection.setLocalDescription();
            await gathered(connection);
            if (peer !== connection) return;
            const response = await fetch("offer", {
              method: "POST",
              headers: { "Content-Type": "application/json" },
              body: JSON.stringify({ type: "offer", sdp: connection.localDescription.sdp }),
            });
            const answer = await response.json();
            if (!response.ok) throw new Error(answer.error || "The server answered " + response.status + ".");
            if (peer !== connection) return;
            await connection.setRemoteDescription(answer);
            statsTimer = setInterval(showStats, 1000);
            showStats();
          } catch (error) {
            if (peer === connection) disconnect(error.message);
          }
        }

        function disconnect(reason) {
          if (reason) show("error", reason);
          clearInterval(statsTimer);
          const connection = peer;
          peer = chat = burst = null;
          waiting = [];
          finishRun();
          if (connection !== null) connection.close();
          removeMedia();
          showState();
        }

        $("connect").addEventListener("click", () => peer === null ? connect() : disconnect());
        window.addEventListener("pagehide", () => disconnect());
        """#
}
