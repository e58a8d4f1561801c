internal import NIOCore
internal import RTCBase
internal import RTCSockets
internal import RTCTURN
internal import Synchronization

/// What other threads tell a shard.
enum ShardMessage: Sendable {
    case streamOpened(StreamClient)
    /// Messages of a client, and how many bytes they were in its stream.
    case streamReceived(StreamClient, [ByteBuffer], Int)
    case streamClosed(StreamClient)
    case authenticated(UInt64, TURNAuthenticationAnswer)
    case relayOpened(TURNRelayID, TransportAddress, any Channel)
    case relayFailed(TURNRelayID)
    case peerAccepted(TURNRelayID, TransportAddress, PeerStream)
    /// A connection to a peer that is not open yet.
    case peerConnecting(UInt32, PeerStream)
    case peerConnected(UInt32, PeerStream)
    case peerFailed(UInt32)
    case peerClosed(UInt32)
    case count(EventLoopPromise<TURNServerCounters>)
    case drain(EventLoopPromise<Void>)
    case close
}

/// Where messages wait until a shard looks. Any thread may post.
final class ShardMailbox: Sendable {
    private struct State {
        var messages: CircularBuffer<ShardMessage> = []
        var isClosed = false
    }

    private let state = Mutex(State())
    let waker: Waker

    init() throws { self.waker = try Waker() }

    /// Posts a message.
    ///
    /// - Returns: `false` if the shard is gone.
    @discardableResult
    func post(_ message: ShardMessage) -> Bool {
        let isOpen = self.state.withLock { state in
            if !state.isClosed { state.messages.append(message) }
            return !state.isClosed
        }
        if isOpen { self.waker.wake() }
        return isOpen
    }

    /// Takes the next messages. The shard is woken again for what is left.
    func take(limit: Int) -> [ShardMessage] {
        self.waker.clear()
        let (messages, isLeft) = self.state.withLock { state in
            let messages = Array(state.messages.prefix(limit))
            state.messages.removeFirst(messages.count)
            return (messages, !state.messages.isEmpty)
        }
        if isLeft { self.waker.wake() }
        return messages
    }

    /// Takes no more; what waits is returned.
    func close() -> [ShardMessage] {
        self.state.withLock { state in
            state.isClosed = true
            let messages = Array(state.messages)
            state.messages = []
            return messages
        }
    }
}
