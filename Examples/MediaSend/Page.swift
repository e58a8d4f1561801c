/// The page that `GET /` answers with.
enum Page {
    /// The page's HTML, UTF-8.
    static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="icon" href="data:,">
        <title>media-send</title>
        <style>
        body { margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center; gap: 16px;
          background: #15171c; color: #e8eaf0; font: 15px/1.5 system-ui, sans-serif; }
        video { width: min(92vw, 960px); border-radius: 10px; background: #000; }
        button { font: inherit; padding: 8px 20px; border: 0; border-radius: 8px; background: #ff8a4c; }
        </style>
        </head>
        <body>
        <video id="video" autoplay controls playsinline></video>
        <p id="state" role="status">A click starts the files from their beginning.</p>
        <button id="play" type="button">Play</button>
        <script>
        const video = document.getElementById("video");
        const state = document.getElementById("state");
        let peer = null;

        async function play() {
          if (peer !== null) peer.close();
          peer = new RTCPeerConnection();
          const stream = new MediaStream();
          peer.addEventListener("track", event => stream.addTrack(event.track));
          peer.addEventListener("connectionstatechange", () => { state.textContent = peer.connectionState; });
          peer.addTransceiver("video", { direction: "recvonly" });
          peer.addTransceiver("audio", { direction: "recvonly" });
          await peer.setLocalDescription();
          await new Promise(resolve => {
            const check = () => { if (peer.iceGatheringState === "complete") resolve(); };
            peer.addEventListener("icegatheringstatechange", check);
            setTimeout(resolve, 3000);
            check();
          });
          const response = await fetch("offer", { method: "POST", body: JSON.stringify(peer.localDescription) });
          const answer = await response.json();
          if (!response.ok) { state.textContent = answer.error; return; }
          await peer.setRemoteDescription(answer);
          video.srcObject = stream;
        }

        document.getElementById("play").addEventListener("click", play);
        </script>
        </body>
        </html>
        """#
}
