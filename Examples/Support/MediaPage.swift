/// A page with one video and one button: what the pages of the media programs share.
package enum MediaPage {
    /// The page's HTML, UTF-8.
    ///
    /// - Parameters:
    ///   - title: The program's name.
    ///   - attributes: Those of the video, beside the ones that every page needs.
    ///   - hint: What a click on the button does.
    ///   - controls: HTML of further controls, before the button.
    ///   - button: The button's text.
    ///   - script: The program's own; it has `video`, `state`, `button` and `exchange(peer)`, which offers and takes the answer and says whether
    ///     there was one.
    package static func html(
        title: String,
        attributes: String,
        hint: String,
        controls: String = "",
        button: String,
        script: String
    ) -> String {
        #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="icon" href="data:,">
        <title>\#(title)</title>
        <style>
        body { margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center; gap: 16px;
          background: #15171c; color: #e8eaf0; font: 15px/1.5 system-ui, sans-serif; }
        video { width: min(92vw, 960px); border-radius: 10px; background: #000; }
        input { font: inherit; width: 12em; }
        button { font: inherit; padding: 8px 20px; border: 0; border-radius: 8px; background: #ff8a4c; }
        </style>
        </head>
        <body>
        <video id="video" autoplay playsinline \#(attributes)></video>
        <p id="state" role="status">\#(hint)</p>
        \#(controls)
        <button id="button" type="button">\#(button)</button>
        <script>
        const video = document.getElementById("video");
        const state = document.getElementById("state");
        const button = document.getElementById("button");

        async function exchange(peer) {
          await peer.setLocalDescription();
          await new Promise(resolve => {
            const check = () => { if (peer.iceGatheringState === "complete") resolve(); };
            peer.addEventListener("icegatheringstatechange", check);
            setTimeout(resolve, 3000);
            check();
          });
          const response = await fetch("offer", { method: "POST", body: JSON.stringify(peer.localDescription) });
          const answer = await response.json();
          if (!response.ok) { state.textContent = answer.error; return false; }
          await peer.setRemoteDescription(answer);
          return true;
        }

        \#(script)
        </script>
        </body>
        </html>
        """#
    }
}
