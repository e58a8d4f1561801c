import NIOCore
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
    private let lateness = WakeUp()

    init(_ channel: any SignalingChannel, maximumUnsentBytes: Int) {
        self.channel = channel
        self.maximumUnsentBytes = maximumUnsentBytes
        // Bounded by its bytes.
        (self.texts, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    func send(_ text: String) {
        let overflows = self.state.withLock { state -> Bool? in
            guard !state.isClosed else { return nil }
            state.unsentBytes += text.utf8.count + 32
            state.isClosed = state.unsentBytes > self.maximumUnsentBytes
            return state.isClosed
        }
        switch overflows {
        case false?: _ = self.continuation.yield(text)
        case true?:
            self.continuation.finish()
            // Who does not read holds up the sender, which only this ends.
            Task { [channel = self.channel] in await channel.close() }
        case nil: break
        }
    }

    func close() {
        let wasClosed = self.state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return }
        self.continuation.finish()
        self.lateness.set(.now() + Self.patience) { [channel = self.channel] in
            Task { await channel.close() }
        }
    }

    /// How long a client may take to read the last that it is sent.
    private static let patience = TimeAmount.seconds(5)

    /// Sends until the end, or until the channel breaks, and closes it.
    func run() async {
        for await text in self.texts {
            guard (try? await self.channel.send(text)) != nil else { break }
            self.state.withLock { $0.unsentBytes -= text.utf8.count + 32 }
        }
        self.close()
        await self.channel.close()
        self.lateness.cancel()
    }
}
