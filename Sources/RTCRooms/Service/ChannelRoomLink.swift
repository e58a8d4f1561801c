import RTCSignaling
import Synchronization

/// Sends what a service has for a client over a channel, one message after the other.
final class ChannelRoomLink: RoomLink {
    private struct State {
        var unsentBytes = 0
        var isClosed = false
    }

    private let channel: any SignalingChannel
    private let maximumUnsentBytes: Int
    private let state = Mutex(State())
    private let texts: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init(_ channel: any SignalingChannel, maximumUnsentBytes: Int) {
        self.channel = channel
        self.maximumUnsentBytes = maximumUnsentBytes
        // Bounded by its bytes.
        (self.texts, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    func send(_ text: String) {
        let isTaken = self.state.withLock { state in
            guard !state.isClosed else { return false }
            state.unsentBytes += text.utf8.count + 32
            state.isClosed = state.unsentBytes > self.maximumUnsentBytes
            return !state.isClosed
        }
        guard !isTaken else {
            _ = self.continuation.yield(text)
            return
        }
        self.continuation.finish()
        // Who does not read holds up the sender, which only this ends.
        Task { [channel = self.channel] in await channel.close() }
    }

    func close() {
        self.state.withLock { $0.isClosed = true }
        self.continuation.finish()
    }

    /// Sends until the end, or until the channel breaks, and closes it.
    func run() async {
        for await text in self.texts {
            guard (try? await self.channel.send(text)) != nil else { break }
            self.state.withLock { $0.unsentBytes -= text.utf8.count + 32 }
        }
        self.close()
        await self.channel.close()
    }
}
