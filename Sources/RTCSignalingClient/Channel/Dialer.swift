import NIOCore
import NIOPosix
import NIOSSL
import RTCSignaling
import RTCTLS

/// Opens TCP and TLS connections, with whatever handshake comes first, within a bounded time.
struct Dialer {
    let host: String
    let port: Int
    let timeout: TimeAmount
    let eventLoop: any EventLoop
    private let tls: TLSClientContext?

    /// - Parameter tls: TLS for the connection; nil for none.
    init(
        host: String,
        port: Int,
        tls: TLSConfiguration?,
        timeout: TimeAmount,
        eventLoop: any EventLoop
    ) throws(SignalingChannelError) {
        self.host = host
        self.port = port
        self.timeout = timeout
        self.eventLoop = eventLoop
        do {
            self.tls = try tls.map { try TLSClientContext($0) }
        } catch {
            throw .invalidArgument(reason: "TLS cannot be set up: \(error)")
        }
    }

    /// Connects.
    ///
    /// - Parameter prepare: Adds handlers once the connection is there; they fulfil the promise when it can be used. If they or
    ///   anything before fails, the connection is closed.
    func dial<Opened: Sendable>(
        _ prepare: @escaping @Sendable (any Channel, EventLoopPromise<Opened>) throws -> Void
    ) async throws(SignalingChannelError) -> Opened {
        let opened = self.eventLoop.makePromise(of: Opened.self)
        self.eventLoop.execute { self.connect(opened, prepare) }
        do {
            return try await withTaskCancellationHandler {
                try await opened.futureResult.get()
            } onCancel: {
                opened.fail(SignalingChannelError.cancelled)
            }
        } catch let error as SignalingChannelError {
            throw error
        } catch {
            throw .connectionFailed(reason: Self.describe(error))
        }
    }

    private func connect<Opened: Sendable>(
        _ opened: EventLoopPromise<Opened>,
        _ prepare: @escaping @Sendable (any Channel, EventLoopPromise<Opened>) throws -> Void
    ) {
        let reason = "no answer from \(self.host):\(self.port) in time"
        let timeout = self.eventLoop.scheduleTask(in: self.timeout) {
            opened.fail(SignalingChannelError.connectionFailed(reason: reason))
        }
        opened.futureResult.whenComplete { _ in timeout.cancel() }
        ClientBootstrap(group: self.eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(self.timeout)
            .connect(host: self.host, port: self.port)
            .whenComplete { result in
                switch result {
                case .failure(let error):
                    opened.fail(SignalingChannelError.connectionFailed(reason: Self.describe(error)))
                case .success(let channel):
                    opened.futureResult.whenFailure { _ in channel.close(promise: nil) }
                    do {
                        try self.addTLS(to: channel)
                        try prepare(channel, opened)
                    } catch {
                        opened.fail(SignalingChannelError.connectionFailed(reason: Self.describe(error)))
                    }
                }
            }
    }

    private func addTLS(to channel: any Channel) throws {
        guard let tls = self.tls else { return }
        try channel.pipeline.syncOperations.addHandler(tls.makeHandler(host: self.host))
    }

    /// What happened, short enough to read.
    static func describe(_ error: any Error) -> String {
        guard let error = error as? NIOConnectionError else { return TLSFailure.describe(error) ?? "\(error)" }
        if let first = error.connectionErrors.first { return "\(first.error)" }
        return "the name \(error.host) cannot be looked up"
    }
}
