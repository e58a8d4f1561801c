import JSONLines
import NIOCore
import Synchronization
import WebRTC

/// A channel and what the tests want to know of its messages.
final class AgentChannel: Sendable {
    /// What is done with messages.
    enum Mode {
        case each
        case tally(Tally)
        case echo
    }

    /// A running count of messages.
    struct Tally {
        var wanted: Int
        var count = 0
        var bytes = 0
        var crc = CRC32()

        mutating func add(_ message: RTCDataChannelMessage) {
            let size = message.byteCount
            self.count += 1
            self.bytes += size
            var header = ByteBuffer()
            header.writeInteger(message.kind == .text ? UInt8(ascii: "t") : UInt8(ascii: "b"))
            header.writeInteger(UInt32(truncatingIfNeeded: size))
            self.crc.update(header.readableBytesView)
            self.crc.update(message.bytes.readableBytesView)
        }

        var json: [String: JSONValue] {
            ["count": JSONValue(self.count), "bytes": JSONValue(self.bytes), "crc32": JSONValue(self.crc.value)]
        }
    }

    /// What is to be reported of a message.
    enum Report {
        case nothing
        case event(String, [String: JSONValue])
        case echo
    }

    /// The size up to which a message is reported with its content.
    static let reportedSize = 256

    let name: String
    let channel: RTCDataChannel
    private let mode = Mutex(Mode.each)
    private let jobs: AsyncStream<@Sendable () async -> Void>
    private let jobContinuation: AsyncStream<@Sendable () async -> Void>.Continuation

    init(name: String, channel: RTCDataChannel) {
        self.name = name
        self.channel = channel
        (self.jobs, self.jobContinuation) = AsyncStream.makeStream()
        let jobs = self.jobs
        Task { for await job in jobs { await job() } }
    }

    deinit { self.jobContinuation.finish() }

    /// Sends in the order of the requests, without holding up requests for others.
    func enqueue(_ job: @escaping @Sendable () async -> Void) { self.jobContinuation.yield(job) }

    func receive(_ mode: Mode) { self.mode.withLock { $0 = mode } }

    func take(_ message: RTCDataChannelMessage) -> Report {
        self.mode.withLock { mode in
            switch mode {
            case .echo:
                return .echo
            case .each:
                var crc = CRC32()
                crc.update(message.bytes.readableBytesView)
                var members: [String: JSONValue] = [
                    "kind": message.kind == .text ? "text" : "binary",
                    "size": JSONValue(message.byteCount),
                    "crc32": JSONValue(crc.value),
                ]
                if message.byteCount <= Self.reportedSize {
                    members["data"] = .base64(message.bytes.readableBytesView)
                }
                return .event("message", members)
            case .tally(var tally):
                tally.add(message)
                mode = .tally(tally)
                return tally.count == tally.wanted ? .event("tally", tally.json) : .nothing
            }
        }
    }

    var members: [String: JSONValue] {
        [
            "label": .string(self.channel.label),
            "protocol": .string(self.channel.protocol),
            "ordered": .bool(self.channel.ordered),
            "maxRetransmits": JSONValue(self.channel.maxRetransmits),
            "maxPacketLifeTime": JSONValue(self.channel.maxPacketLifeTime),
            "negotiated": .bool(self.channel.negotiated),
            "channelId": JSONValue(self.channel.id),
        ]
    }
}
