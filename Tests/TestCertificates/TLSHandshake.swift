package import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// Handshakes of a client with a server at 127.0.0.1, and nothing more.
package enum TLSHandshake {
    /// Makes a handshake with a server that has a certificate.
    ///
    /// - Parameter addClient: Adds TLS to the client's connection.
    /// - Throws: What the client found wrong.
    package static func run(
        certificate: String,
        addClient: @escaping @Sendable (any Channel) throws -> Void
    ) async throws {
        let context = try NIOSSLContext(configuration: TestTLS.server(certificate))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try server.localAddress.orThrow()
        let outcome = await Self.connect(to: address, addClient)
        try await server.close()
        try outcome.get()
    }

    private static func connect(
        to address: SocketAddress,
        _ addClient: @escaping @Sendable (any Channel) throws -> Void
    ) async -> Result<Void, any Error> {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: Void.self)
        do {
            let client = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try addClient(channel)
                        try channel.pipeline.syncOperations.addHandler(Observer(done))
                    }
                }
                .connect(to: address).get()
            defer { client.close(promise: nil) }
            try await done.futureResult.get()
            return .success(())
        } catch {
            done.fail(error)
            return .failure(error)
        }
    }

    private final class Observer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let done: EventLoopPromise<Void>

        init(_ done: EventLoopPromise<Void>) { self.done = done }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted? = event as? TLSUserEvent { self.done.succeed() }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { self.done.fail(error) }

        func channelInactive(context: ChannelHandlerContext) { self.done.fail(ChannelError.eof) }
    }
}

extension Optional {
    fileprivate func orThrow() throws -> Wrapped {
        guard let self else { throw ChannelError.unknownLocalAddress }
        return self
    }
}
