package import NIOCore
import NIOHTTP1
import NIOPosix

/// A small HTTP/1.1 server: whole requests in, whole responses out, one after the other on each connection.
package final class HTTPServer: Sendable {
    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// The largest request body in bytes; a larger one gets 413.
    private static let largestBody = 64 << 10
    /// Silence after which a connection is closed.
    private static let idleTimeout = TimeAmount.seconds(60)

    private let channel: NIOAsyncChannel<Connection, Never>
    private let respond: @Sendable (HTTPRequest) async -> HTTPResponse

    /// The address it listens on, with the real port.
    package var address: SocketAddress? { self.channel.channel.localAddress }

    /// Binds a server; ``run()`` serves.
    package init(
        _ address: HostPort,
        group: any EventLoopGroup,
        respond: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) async throws {
        self.respond = respond
        self.channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .bind(host: address.host.isEmpty ? "::" : address.host, port: Int(address.port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: Self.idleTimeout))
                    try pipeline.addHandler(IdleConnectionCloser())
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// Serves until ``close()``.
    package func run() async throws {
        try await self.channel.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    // What goes wrong on a connection concerns that one alone.
                    group.addTask { try? await self.serve(connection) }
                }
                group.cancelAll()
            }
        }
    }

    /// Stops to listen; ``run()`` ends, and with it the connections.
    package func close() { self.channel.channel.close(promise: nil) }

    private func serve(_ connection: Connection) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var request: HTTPRequest?
            var isKeptAlive = false
            for try await part in inbound {
                switch part {
                case .head(let head):
                    isKeptAlive = head.isKeepAlive
                    guard Self.announcedLength(head) <= Self.largestBody else {
                        return try await Self.write(Self.tooLarge, keepAlive: false, to: outbound)
                    }
                    if head.headers[canonicalForm: "expect"].contains("100-continue") {
                        try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
                    }
                    request = HTTPRequest(method: head.method, path: Self.path(of: head.uri), body: ByteBuffer())
                case .body(let bytes):
                    guard (request?.body.readableBytes ?? 0) + bytes.readableBytes <= Self.largestBody else {
                        return try await Self.write(Self.tooLarge, keepAlive: false, to: outbound)
                    }
                    request?.body.writeImmutableBuffer(bytes)
                case .end:
                    guard let whole = request else { return }
                    request = nil
                    try await Self.write(await self.respond(whole), keepAlive: isKeptAlive, to: outbound)
                    guard isKeptAlive else { return }
                }
            }
        }
    }

    private static let tooLarge = HTTPResponse(
        .payloadTooLarge,
        headers: ["content-type": "application/json", "access-control-allow-origin": "*"],
        body: ByteBuffer(string: #"{"error":"the body is larger than 64 KiB"}"#)
    )

    private static func announcedLength(_ head: HTTPRequestHead) -> Int {
        guard let text = head.headers.first(name: "content-length") else { return 0 }
        // A length that is too large to be a number is too large.
        return Int(text) ?? .max
    }

    private static func path(of uri: String) -> String { String(uri.prefix { $0 != "?" && $0 != "#" }) }

    private static func write(
        _ response: HTTPResponse,
        keepAlive: Bool,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws {
        var headers = response.headers
        if response.status != .noContent {
            headers.replaceOrAdd(name: "content-length", value: String(response.body.readableBytes))
        }
        if !keepAlive { headers.replaceOrAdd(name: "connection", value: "close") }
        try await outbound.write(contentsOf: [
            .head(HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)),
            .body(.byteBuffer(response.body)),
            .end(nil),
        ])
    }
}

/// Closes connections on which nothing happens.
private final class IdleConnectionCloser: ChannelInboundHandler {
    typealias InboundIn = Any

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
