public import NIOCore

/// Which channel of a ``DataChannelTransport`` is meant.
///
/// Unlike the stream number it is there from the channel's creation on, and never stands for another channel.
public struct DataChannelHandle: Sendable, Hashable {
    let index: UInt32
    let generation: UInt32
}

/// What a message's bytes are.
public enum DataChannelMessageKind: Sendable, Hashable {
    /// UTF-8 text. The transport does not check it.
    case text
    /// Bytes.
    case binary
}

/// A message that came in.
public struct DataChannelMessage: Sendable, Hashable {
    /// What its bytes are.
    public var kind: DataChannelMessageKind
    /// Its bytes.
    public var bytes: ByteBuffer

    /// A message.
    public init(kind: DataChannelMessageKind, bytes: ByteBuffer) {
        self.kind = kind
        self.bytes = bytes
    }
}
