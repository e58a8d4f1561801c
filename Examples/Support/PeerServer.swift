package import Logging
import NIOCore
import Synchronization
package import WebRTC

/// Answers offers on one UDP port; what happens on the connections is the program's.
///
/// A peer lives from its offer until its connection fails or either side closes it; one that does not connect in time is
/// closed.
package final class PeerServer: Sendable {
    /// What the server takes on.
    package struct Limits: Sendable {
        /// The most peers at once.
        package var peers = 10_000
        /// How long a peer may take to connect after its answer was made.
        package var connectTimeout = Duration.seconds(30)
    }

    /// Why an offer got no answer.
    package enum Refusal: Error {
        /// The offer is at fault.
        case badOffer(String)
        /// There are as many peers as the server takes.
        case full
    }

    private let endpoint: WebRTCEndpoint
    private let limits: Limits
    private let logger: Logger
    private let prepare: @Sendable (RTCPeerConnection) async throws -> Void
    private let serve: @Sendable (RTCPeerConnection) async -> Void
    private let peerCount = Mutex(0)
    private let newPeers: AsyncStream<RTCPeerConnection>
    private let newPeersContinuation: AsyncStream<RTCPeerConnection>.Continuation

    /// A server on `endpoint`, which ``close()`` closes.
    ///
    /// - Parameters:
    ///   - prepare: Makes a connection ready that has its offer and will be answered next.
    ///   - serve: Follows a connection; when it returns, or the peer is gone, the connection is closed.
    package init(
        endpoint: WebRTCEndpoint,
        limits: Limits = Limits(),
        logger: Logger,
        prepare: @escaping @Sendable (RTCPeerConnection) async throws -> Void,
        serve: @escaping @Sendable (RTCPeerConnection) async -> Void
    ) {
        self.prepare = prepare
        self.serve = serve
        self.endpoint = endpoint
        self.limits = limits
        self.logger = logger
        // Never more than the limit of peers.
        (self.newPeers, self.newPeersContinuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Serves the peers until ``close()``.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await connection in self.newPeers {
                group.addTask {
                    await self.follow(connection)
                    await connection.close()
                    self.release()
                }
            }
        }
    }

    /// Closes all peers, then the port; ``run()`` ends.
    package func close() async {
        self.newPeersContinuation.finish()
        await self.endpoint.close()
    }

    // MARK: Offers

    /// Answers an offer; the answer holds all candidates.
    package func answer(_ offer: RTCSessionDescription) async throws(Refusal) -> RTCSessionDescription {
        guard self.reserve() else { throw .full }
        let connection: RTCPeerConnection
        do {
            connection = try self.endpoint.makePeerConnection()
        } catch {
            self.release()
            throw .full
        }
        do {
            try await connection.setRemoteDescription(offer)
            try await self.prepare(connection)
            try await connection.setLocalDescription()
            let answer = try await connection.gatheredDescription()
            guard case .enqueued = self.newPeersContinuation.yield(connection) else {
                throw RTCError(.invalidState, "the server is closing")
            }
            return answer
        } catch {
            await connection.close()
            self.release()
            throw .badOffer(String(describing: error))
        }
    }

    private func reserve() -> Bool {
        self.peerCount.withLock { count in
            guard count < self.limits.peers else { return false }
            count += 1
            return true
        }
    }

    private func release() { self.peerCount.withLock { $0 -= 1 } }

    // MARK: Peers

    /// Serves one peer; returns when it is gone.
    private func follow(_ connection: RTCPeerConnection) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.closeUnlessConnected(connection) }
            await self.serve(connection)
            group.cancelAll()
        }
    }

    private func closeUnlessConnected(_ connection: RTCPeerConnection) async {
        // Cancelled when the peer is gone.
        guard (try? await Task.sleep(for: self.limits.connectTimeout)) != nil else { return }
        switch connection.connectionState {
        case .new, .connecting: await connection.close()
        case .connected, .disconnected, .failed, .closed: break
        }
    }
}
