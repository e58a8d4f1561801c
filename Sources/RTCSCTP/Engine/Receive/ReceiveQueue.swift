internal import NIOCore

/// What waits to be read: messages and notifications in their order.
///
/// Small messages lie back to back in one buffer until somebody reads; they cost one allocation together.
struct ReceiveQueue {
    private enum Entry {
        /// A message in the shared buffer.
        case shared(offset: Int, count: Int, stream: UInt16, payloadProtocol: UInt32, isUnordered: Bool)
        case message(SCTPIncomingMessage)
        case notification(SCTPNotification)
    }

    /// Messages up to this size share a buffer.
    private static let sharedSize = 2_048

    private var entries = CircularBuffer<Entry>(initialCapacity: 4)
    private var small = ByteBuffer()
    /// The bytes of all messages that wait.
    private(set) var byteCount = 0

    var isEmpty: Bool { self.entries.isEmpty }

    mutating func append(_ notification: SCTPNotification) { self.entries.append(.notification(notification)) }

    mutating func append(_ message: SCTPIncomingMessage) {
        self.byteCount += message.bytes.readableBytes
        self.entries.append(.message(message))
    }

    /// Appends a message that came in one chunk.
    mutating func append(_ chunk: DataChunk) {
        let count = chunk.payload.count
        let isUnordered = chunk.flags.contains(.unordered)
        guard count <= Self.sharedSize else {
            self.append(
                SCTPIncomingMessage(
                    bytes: ByteBuffer(bytes: chunk.payload),
                    stream: chunk.stream,
                    payloadProtocol: chunk.payloadProtocol,
                    isUnordered: isUnordered
                )
            )
            return
        }
        self.byteCount += count
        self.entries.append(
            .shared(
                offset: self.small.writerIndex,
                count: count,
                stream: chunk.stream,
                payloadProtocol: chunk.payloadProtocol,
                isUnordered: isUnordered
            )
        )
        self.small.writeBytes(chunk.payload)
    }

    /// Takes the oldest.
    mutating func next() -> SCTPReadResult {
        guard let first = self.entries.popFirst() else { return .nothing }
        switch first {
        case .notification(let notification):
            return .notification(notification)
        case .message(let message):
            self.byteCount -= message.bytes.readableBytes
            return .message(message)
        case .shared(let offset, let count, let stream, let payloadProtocol, let isUnordered):
            let message = SCTPIncomingMessage(
                bytes: self.small.getSlice(at: offset, length: count) ?? ByteBuffer(),
                stream: stream,
                payloadProtocol: payloadProtocol,
                isUnordered: isUnordered
            )
            self.detachShared()
            self.byteCount -= count
            return .message(message)
        }
    }

    /// Gives the other messages of the shared buffer their slices too, so that it is not written to while it is read.
    private mutating func detachShared() {
        let buffer = self.small
        self.small = ByteBuffer()
        for index in self.entries.indices {
            guard
                case .shared(let offset, let count, let stream, let payloadProtocol, let isUnordered) = self.entries[
                    index
                ]
            else { continue }
            self.entries[index] = .message(
                SCTPIncomingMessage(
                    bytes: buffer.getSlice(at: offset, length: count) ?? ByteBuffer(),
                    stream: stream,
                    payloadProtocol: payloadProtocol,
                    isUnordered: isUnordered
                )
            )
        }
    }
}
