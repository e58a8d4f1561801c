import NIOCore
import NIOPosix
import Synchronization

/// The only way between a client and a server on loopback, until it is cut: one UDP port that passes on what comes from either side.
final class CuttablePath: Sendable {
    private struct Ends {
        var server: SocketAddress?
        var client: SocketAddress?
        var isCut = false
    }

    private let ends: Mutex<Ends>
    private let channel: Mutex<(any Channel)?>

    init() async throws {
        self.ends = Mutex(Ends())
        self.channel = Mutex(nil)
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Forwarder(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.channel.withLock { $0 = channel }
    }

    /// Lets nothing through any more.
    func cut() { self.ends.withLock { $0.isCut = true } }

    func close() async { try? await self.channel.withLock { $0 }?.close() }

    /// A description in which this way leads to the candidates of another, all of which have one port over UDP.
    func leading(to description: String) throws -> String {
        let port = self.channel.withLock { $0?.localAddress?.port } ?? 0
        var lines: [String] = []
        for line in description.split(separator: "\r\n") {
            var words = line.split(separator: " ").map(String.init)
            if line.hasPrefix("a=candidate:"), words.count > 7 {
                guard words[2] == "udp", let server = Int(words[5]) else { continue }
                let address = try SocketAddress(ipAddress: "127.0.0.1", port: server)
                self.ends.withLock { $0.server = address }
                words[5] = String(port)
            }
            lines.append(words.joined(separator: " "))
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    fileprivate func destination(from source: SocketAddress) -> SocketAddress? {
        self.ends.withLock { ends in
            guard !ends.isCut else { return nil }
            if source == ends.server { return ends.client }
            ends.client = source
            return ends.server
        }
    }
}

private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let path: CuttablePath

    init(_ path: CuttablePath) { self.path = path }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        guard let destination = self.path.destination(from: envelope.remoteAddress) else { return }
        let passedOn = AddressedEnvelope(remoteAddress: destination, data: envelope.data)
        context.writeAndFlush(self.wrapOutboundOut(passedOn), promise: nil)
    }
}
