import NIOCore
import NIOHTTP1
import RTCSignaling

/// Turns an HTTP connection into a WebSocket where a route has one (RFC 6455 section 4.2).
final class WebSocketUpgrader: HTTPServerProtocolUpgrader, Sendable {
    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []

    private let core: NIOLoopBound<ServerCore>
    /// The route that the handshake chose, until the connection is handed over.
    private let chosen: NIOLoopBoundBox<WebSocketAcceptance?>

    init(core: ServerCore, eventLoop: any EventLoop) {
        self.core = NIOLoopBound(core, eventLoop: eventLoop)
        self.chosen = NIOLoopBoundBox(nil, eventLoop: eventLoop)
    }

    func buildUpgradeResponse(
        channel: any Channel,
        upgradeRequest: HTTPRequestHead,
        initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        let request = SignalingRequest(upgradeRequest, body: ByteBuffer())
        let core = self.core
        return core.value.admit(request).flatMapThrowing { refusal in
            // What is refused goes on as a request, which is then refused in its own words.
            if refusal != nil { throw WebSocketHandshake.Refusal.notAnUpgrade }
            let acceptance = try core.value.webSocket(for: request)
            self.chosen.value = acceptance
            var headers = HTTPHeaders()
            for field in acceptance.handshake.responseHeaders.fields {
                headers.add(name: field.name, value: field.value)
            }
            return headers
        }
    }

    func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
        context.eventLoop.makeCompletedFuture {
            guard let acceptance = self.chosen.value else { throw WebSocketHandshake.Refusal.notAnUpgrade }
            let handler = WebSocketHandler(acceptance, core: self.core.value)
            try context.pipeline.syncOperations.addHandler(handler)
        }
    }
}

/// A handshake that a route takes.
struct WebSocketAcceptance {
    var handshake: WebSocketHandshake
    var configuration: WebSocketConfiguration
    /// Whether SockJS's frames are inside.
    var isSockJS: Bool
    var opening: SessionOpening
    var serving: SignalingRoutes.Serving
}
