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
        <li><a href="/mesh">mesh</a>: a room in which everybody is connected to everybody</li>
        <li><a href="/live">live</a>: publish the camera by WHIP under <code>/whip/NAME</code>, watch by WHEP under <code>/whep/NAME</code></li>
        <li><a href="/codelab">codelab</a>: the WebRTC codelab's steps</li>
        </ul>
        <ul>
        <li><code>/ws/echo</code>, <code>/ws/broadcast</code>: WebSocket</li>
        <li><code>/signal/echo</code>, <code>/signal/broadcast</code>: WebSocket, polling and server-sent events under one path</li>
        <li><code>/echo</code>, <code>/broadcast</code>, <code>/close</code>: SockJS, the last closes at once</li>
        <li><code>/disabled_websocket_echo</code>, <code>/cookie_needed_echo</code>: SockJS without WebSocket, with cookies</li>
        <li><code>/rooms/ws</code>: rooms over WebSocket, <code>/rooms/sockjs</code>: over SockJS</li>
        <li><code>/stomp</code>: STOMP over WebSocket, <code>/stomp-sockjs</code>: over SockJS</li>
        <li><code>/socket.io/</code>: Socket.IO 2, with the namespaces <code>/echo</code>, <code>/rooms</code> and
        <code>/members</code>, and its client, <code>/socket.io/socket.io.js</code></li>
        <li><a href="/files">/files</a>: send and receive files, <code>/mailbox</code>: where both sides of <code>file-transfer</code> meet</li>
        </ul>
        </body>
        </html>
        """
}
