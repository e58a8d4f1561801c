import ExampleSupport

/// The page that `GET /` answers with.
enum Page {
    /// The page's HTML, UTF-8.
    static let html = MediaPage.html(
        title: "media-record",
        attributes: "muted",
        hint: "A click records camera and microphone.",
        button: "Record",
        script: #"""
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
              await exchange(peer);
            }

            button.addEventListener("click", () => peer === null ? record() : stop());
            """#
    )
}
