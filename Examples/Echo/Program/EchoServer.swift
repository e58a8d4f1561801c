import Logging
import NIOCore
import Synchronization
import WebRTC

/// Answers offers on one UDP port and returns every message of every channel, and every track.
///
/// A peer lives from its offer until its connection fails or either side closes it; one that does not connect in time is
/// closed.
final class EchoServer: Sendable {
    /// What the server takes on.
    struct Limits: Sendable {
        /// The most peers at once.
        var peers = 10_000
        /// How long a peer may take to connect after its answer was made.
        var connectTimeout = Duration.seconds(30)
    }

    /// Why an offer got no answer.
    enum Refusal: Error {
        /// The offer is at fault.
        case badOffer(String)
        /// There are as many peers as the server takes.
        case full
    }

    private let endpoint: WebRTCEndpoint
    private let limits: Limits
    private let logger: Logger
    private let peerCount = Mutex(0)
    private let newPeers: AsyncStream<RTCPeerConnection>
    private let newPeersContinuation: AsyncStream<RTCPeerConnection>.Continuation

    /// A server on `endpoint`, which ``close()`` closes.
    init(endpoint: WebRTCEndpoint, limits: Limits = Limits(), logger: Logger) {
        self.endpoint = endpoint
        self.limits = limits
        self.logger = logger
        // Never more than the limit of peers.
        (self.newPeers, self.newPeersContinuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Serves the peers until ``close()``.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await connection in self.newPeers {
                group.addTask {
                    await self.serve(connection)
                    await connection.close()
                    self.release()
                }
            }
        }
    }

    /// Closes all peers, then the port; ``run()`` ends.
    func close() async {
        self.newPeersContinuation.finish()
        await self.endpoint.close()
    }

    // MARK: Offers

    /// Answers an offer; the answer holds all candidates.
    func answer(_ offer: RTCSessionDescription) async throws(Refusal) -> RTCSessionDescription {
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
            try await MediaEcho.attach(to: connection)
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
    private func serve(_ connection: RTCPeerConnection) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.closeUnlessConnected(connection) }
            await withDiscardingTaskGroup { channels in
                await self.follow(connection) { channel in
                    channels.addTask { await self.echo(channel) }
                }
                // The channels' messages end with the connection.
                await connection.close()
            }
            group.cancelAll()
        }
    }

    private func follow(_ connection: RTCPeerConnection, onChannel: (RTCDataChannel) -> Void) async {
        for await event in connection.events {
            switch event {
            case .dataChannel(let channel):
                onChannel(channel)
            case .connectionStateChange(.failed), .connectionStateChange(.closed),
                .dtlsTransportStateChange(.closed), .sctpTransportStateChange(.closed):
                self.logger.debug("a peer is gone", metadata: ["event": "\(event)"])
                return
            default:
                break
            }
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

    /// Returns what a channel receives; reads no faster than the peer takes.
    private func echo(_ channel: RTCDataChannel) async {
        do {
            for try await message in channel.messages { try await channel.send(message) }
        } catch {
            self.logger.debug("a channel failed", metadata: ["label": "\(channel.label)", "error": "\(error)"])
            channel.close()
        }
    }
}
