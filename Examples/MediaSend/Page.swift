import ExampleSupport

/// The page that `GET /` answers with.
enum Page {
    /// The page's HTML, UTF-8.
    static let html = MediaPage.html(
        title: "media-send",
        attributes: "controls",
        hint: "A click starts the files from their beginning.",
        button: "Play",
        script: #"""
            let peer = null;

            async function play() {
              if (peer !== null) peer.close();
              peer = new RTCPeerConnection();
              const stream = new MediaStream();
              peer.addEventListener("track", event => stream.addTrack(event.track));
              peer.addEventListener("connectionstatechange", () => { state.textContent = peer.connectionState; });
              peer.addTransceiver("video", { direction: "recvonly" });
              peer.addTransceiver("audio", { direction: "recvonly" });
              if (!await exchange(peer)) return;
              video.srcObject = stream;
            }

            button.addEventListener("click", play);
            """#
    )
}
