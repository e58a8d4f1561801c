import RTCSignaling
import RTCSignalingServer

/// The steps of the WebRTC codelab, one page each: camera, a call in one page, text over a data channel, rooms, a call between two
/// tabs, and photos between two tabs.
enum CodelabPages {
    /// One step.
    struct Step {
        var title: String
        /// What stands in the body.
        var html: String
        /// What the page does.
        var script: String
        var usesSocketIO = false
    }

    static let steps = [camera, localCall, textChannel, rooms, call, photos]

    /// Serves the steps under `/codelab/1` to `/codelab/6`, and what they are under `/codelab`.
    static func add(to routes: inout SignalingRoutes) {
        let index = self.response(self.index)
        routes.http("/codelab") { _ in index }
        for (number, step) in self.steps.enumerated() {
            let page = self.response(self.page(number + 1, step))
            routes.http("/codelab/\(number + 1)") { _ in page }
        }
    }

    private static func response(_ html: String) -> SignalingResponse {
        SignalingResponse(200, headers: ["content-type": "text/html; charset=utf-8"], text: html)
    }

    private static var index: String {
        let items = self.steps.enumerated()
            .map { "<li><a href=\"/codelab/\($0.offset + 1)\">\($0.element.title)</a></li>" }
            .joined(separator: "\n")
        return self.frame("Real-time communication, step by step", "<ol>\n\(items)\n</ol>", "")
    }

    private static func page(_ number: Int, _ step: Step) -> String {
        let library = step.usesSocketIO ? "<script src=\"/socket.io/socket.io.js\"></script>\n" : ""
        let body = """
            \(step.html)
            <p><a href="/codelab">All steps</a></p>
            \(library)<script>
            \(self.common)
            \(step.script)
            </script>
            """
        return self.frame("Step \(number): \(step.title)", body, self.style)
    }

    private static func frame(_ title: String, _ body: String, _ style: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <link rel="icon" href="data:,">
        <title>\(title)</title>
        <style>\(style)</style>
        </head>
        <body>
        <h1>\(title)</h1>
        \(body)
        </body>
        </html>
        """
    }

    private static let style = """
        body { font: 16px/1.4 system-ui, sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }
        video, canvas, img { width: 20rem; background: #ddd; }
        textarea { width: 20rem; height: 6rem; }
        """

    /// What several steps use.
    private static let common = #"""
        "use strict";
        const element = id => document.getElementById(id);

        // What a page has to say, for people and for tests.
        function show(text) {
          element("status").textContent = text;
          console.log(text);
        }

        async function openCamera() {
          const stream = await navigator.mediaDevices.getUserMedia({audio: false, video: true});
          return stream;
        }
        """#
}
