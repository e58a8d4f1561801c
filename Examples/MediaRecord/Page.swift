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
        <title>media-record</title>
        <style>
        body { margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center; gap: 16px;
          background: #15171c; color: #e8eaf0; font: 15px/1.5 system-ui, sans-serif; }
        video { width: min(92vw, 960px); border-radius: 10px; background: #000; }
        button { font: inherit; padding: 8px 20px; border: 0; border-radius: 8px; background: #ff8a4c; }
        </style>
        </head>
        <body>
        <video id="video" autoplay muted playsinline></video>
        <p id="state" role="status">A click records camera and microphone.</p>
        <button id="play" type="button">Record</button>
        <script>
        const video = document.getElementById("video");
        const state = document.getElementById("state");
        const button = document.getElementById("play");
        let peer = null;
        let media = null;

        function stop() {
          peer.close();
          for (const track of media.getTracks()) track.stop();
          peer = video.srcObject = null;
          button.textContent = "Record";
          state.textContent = "The recording is complete.";
        }

        async function record() {
          media = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
          peer = new RTCPeerConnection();
          peer.addEventListener("connectionstatechange", () => { state.textContent = peer.connectionState; });
          for (const track of media.getTracks()) peer.addTransceiver(track, { direction: "sendonly", streams: [media] });
          button.textContent = "Stop";
          video.srcObject = media;
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
        }

        button.addEventListener("click", () => peer === null ? record() : stop());
        </script>
        </body>
        </html>
        """#
}
