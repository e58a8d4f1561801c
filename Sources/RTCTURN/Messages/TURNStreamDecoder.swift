public import NIOCore
public import RTCSTUN

/// Cuts a byte stream from TCP or TLS into STUN and ChannelData messages (RFC 8656 sections 3.1 and 12.5).
///
/// Memory is bounded by the longest message plus what is appended at once. A stream that is not made of such messages
/// cannot be read further: ``next()`` says ``Frame/broken`` for ever, and the connection is to be closed.
public struct TURNStreamDecoder: Sendable {
    /// What comes next in the stream.
    public enum Frame: Sendable, Hashable {
        /// A STUN message, header and all.
        case stun(ByteBuffer)
        /// A ChannelData message with its header and without padding.
        case channelData(ByteBuffer)
        /// More bytes are needed.
        case incomplete
        /// The bytes are neither, or a message is longer than allowed.
        case broken
    }

    /// The longest message that is accepted, in bytes with its header.
    public let maximumMessageSize: Int
    private var buffer = ByteBuffer()
    private var isBroken = false

    /// A decoder at the beginning of a stream.
    ///
    /// - Parameter maximumMessageSize: 24 to 65,555 bytes; the default is what a header can say.
    public init(maximumMessageSize: Int = 65_535 + STUNMessage.headerSize) {
        self.maximumMessageSize = min(max(maximumMessageSize, 24), 65_535 + STUNMessage.headerSize)
    }

    /// How many bytes wait for the rest of their message.
    public var bufferedBytes: Int { self.buffer.readableBytes }

    /// Takes bytes as they came. Call ``next()`` until it is ``Frame/incomplete`` before appending more.
    public mutating func append(_ bytes: ByteBuffer) {
        guard !self.isBroken else { return }
        if self.buffer.readableBytes == 0 {
            self.buffer = bytes
        } else {
            self.buffer.discardReadBytes()
            self.buffer.writeImmutableBuffer(bytes)
        }
    }

    /// Takes the next message.
    public mutating func next() -> Frame {
        guard !self.isBroken else { return .broken }
        let start = self.buffer.readerIndex
        guard self.buffer.readableBytes >= 4, let type = self.buffer.getInteger(at: start, as: UInt16.self),
            let length = self.buffer.getInteger(at: start + 2, as: UInt16.self)
        else { return .incomplete }
        switch type >> 14 {
        case 0 where length % 4 == 0:
            return self.take(STUNMessage.headerSize + Int(length), padding: 0).map(Frame.stun) ?? self.shortage
        case 1:
            let size = TURNChannelData.headerSize + Int(length)
            return self.take(size, padding: -size & 3).map(Frame.channelData) ?? self.shortage
        default:
            return self.fail()
        }
    }

    private var shortage: Frame { self.isBroken ? .broken : .incomplete }

    private mutating func take(_ size: Int, padding: Int) -> ByteBuffer? {
        guard size <= self.maximumMessageSize else {
            _ = self.fail()
            return nil
        }
        guard self.buffer.readableBytes >= size + padding, let message = self.buffer.readSlice(length: size) else {
            return nil
        }
        self.buffer.moveReaderIndex(forwardBy: padding)
        return message
    }

    private mutating func fail() -> Frame {
        self.isBroken = true
        self.buffer = ByteBuffer()
        return .broken
    }
}
