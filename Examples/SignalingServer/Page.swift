/// The page that says what is where.
enum Page {
    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <link rel="icon" href="data:,">
        <title>signaling-server</title>
        </head>
        <body>
        <h1>signaling-server</h1>
        <ul>
        <li><code>/ws/echo</code>, <code>/ws/broadcast</code>: WebSocket</li>
        <li><code>/echo</code>, <code>/broadcast</code>, <code>/close</code>: SockJS, the last closes at once</li>
        <li><code>/disabled_websocket_echo</code>, <code>/cookie_needed_echo</code>: SockJS without WebSocket, with cookies</li>
        <li><code>/stomp</code>: STOMP over WebSocket, <code>/stomp-sockjs</code>: over SockJS</li>
        <li><a href="/files">/files</a>: send and receive files, <code>/mailbox</code>: where both sides of <code>file-transfer</code> meet</li>
        </ul>
        </body>
        </html>
        """
}
