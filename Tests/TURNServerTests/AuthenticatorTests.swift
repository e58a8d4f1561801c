#if os(Linux)
import NIOCore
import RTCBase
import RTCSTUN
import RTCTURN
import TURNServer
import Testing

/// Authenticators that do not answer.
@Suite(.timeLimit(.minutes(1))) struct AuthenticatorTests {
    /// An authenticator that waits until it is cancelled.
    private struct Hanging {
        let asked: AsyncStream<Void>
        let cancelled: AsyncStream<Void>
        let authenticator: TURNServerConfiguration.Authenticator
        /// Nothing is ever sent here.
        private let never: AsyncStream<Void>.Continuation

        init() {
            let (asked, noteAsked) = AsyncStream.makeStream(of: Void.self)
            let (cancelled, noteCancelled) = AsyncStream.makeStream(of: Void.self)
            let (never, continuation) = AsyncStream.makeStream(of: Void.self)
            self.asked = asked
            self.cancelled = cancelled
            self.never = continuation
            self.authenticator = { _ in
                noteAsked.yield()
                for await _ in never {}
                noteCancelled.yield()
                return .unavailable
            }
        }

        func configuration() throws -> TURNServerConfiguration {
            var configuration = TURNServerConfiguration(
                listeners: [.init(.tcp, address: "127.0.0.1", port: 0)],
                relayAddresses: [.init("127.0.0.1")]
            )
            configuration.threads = 1
            configuration.authenticator = self.authenticator
            return configuration
        }
    }

    @Test("An authenticator that hangs is cancelled when its time is over, and the client gets a 500")
    func timeLimit() async throws {
        let hanging = Hanging()
        var configuration = try hanging.configuration()
        configuration.core.pendingTimeout = .milliseconds(1)
        let server = try await TURNServer.start(configuration)
        var client = try await TestStream.connect(to: server.addresses[0].address)
        #expect(try await client.allocate(as: "alice", password: "wonder")?.header.errorCode == 500)
        var cancelled = hanging.cancelled.makeAsyncIterator()
        #expect(await cancelled.next() != nil)
        await server.shutdown()
    }

    @Test("A server that stops cancels the authenticators that still run")
    func shutdown() async throws {
        let hanging = Hanging()
        var configuration = try hanging.configuration()
        configuration.core.pendingTimeout = .hours(1)
        let server = try await TURNServer.start(configuration)
        let address = server.addresses[0].address
        let client = Task {
            var client = try await TestStream.connect(to: address)
            return try await client.allocate(as: "alice", password: "wonder")
        }
        var asked = hanging.asked.makeAsyncIterator()
        #expect(await asked.next() != nil)
        await server.shutdown()
        var cancelled = hanging.cancelled.makeAsyncIterator()
        #expect(await cancelled.next() != nil)
        #expect(try await client.value == nil)
    }
}
#endif
