import NIOCore
import RTCSignaling

/// The client for browsers that a service serves: `io(url, options)` and `io.connect(url, options)`, whose sockets have `on`, `once`,
/// `off`, `emit`, `send`, `open`, `close`, `id` and `connected`, as pages of Socket.IO 2 use them.
enum SocketIOClientScript {
    /// The whole script.
    static let source = """
        "use strict";
        (() => {
        \(Self.engine)
        \(Self.parser)
        \(Self.sockets)
        globalThis.io = io;
        })();

        """

    private static let body = ByteBuffer(string: Self.source)

    static func response(to request: SignalingRequest) -> SignalingResponse {
        guard request.method == "GET" else { return SignalingResponse(405, headers: ["allow": "GET"]) }
        return SignalingResponse(
            200,
            headers: [
                "content-type": "text/javascript; charset=utf-8", "cache-control": "no-cache",
                "access-control-allow-origin": "*", "x-content-type-options": "nosniff",
            ],
            body: self.body
        )
    }
}
