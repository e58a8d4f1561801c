public import NIOCore

/// An RTP packet of one's own: its bytes, and what they say.
///
/// The bytes are always those of the packet as it is sent. Fields of the header are changed in place; contributing
/// sources, header extension, payload and padding by writing the packet anew.
public struct RTPPacket: Sendable, Hashable {
    /// The packet as it is sent, from the reader index on.
    public private(set) var buffer: ByteBuffer
    /// Where its parts lie.
    public private(set) var view: RTPPacketView

    /// Reads a packet from all readable bytes, which are shared, not copied; `nil` if they are none.
    public init?(_ buffer: ByteBuffer) {
        guard let view = RTPPacketView(buffer.readableBytesSpan) else { return nil }
        self.buffer = buffer
        self.view = view
    }

    /// A packet whose view is known already.
    package init(_ buffer: ByteBuffer, view: RTPPacketView) {
        self.buffer = buffer
        self.view = view
    }

    /// A new packet without header extension; ``setExtension(id:_:)`` adds one.
    ///
    /// - Parameters:
    ///   - header: Its payload type is not one of 64 to 95, see ``PayloadType/isUsableBesideRTCP``.
    ///   - contributingSources: At most 15; the others are left out.
    public init(
        header: RTPHeader,
        contributingSources: [SSRC] = [],
        payload: ByteBuffer,
        allocator: ByteBufferAllocator = .init()
    ) throws(RTPPacketError) {
        let sources = contributingSources.prefix(15)
        let size = RTPHeader.fixedSize + 4 * sources.count + payload.readableBytes
        var buffer = allocator.buffer(capacity: size)
        buffer.writeRTPPacket(header, contributingSources: sources, maximumSize: size) {
            $0.appendPayload(payload.readableBytesSpan)
        }
        guard let view = RTPPacketView(buffer.readableBytesSpan) else { throw .reservedPayloadType }
        self.buffer = buffer
        self.view = view
    }

    /// The fixed fields. A payload type of 64 to 95 is not taken: the old one stays.
    public var header: RTPHeader {
        get { self.view.header }
        set {
            var header = newValue
            if !header.payloadType.isUsableBesideRTCP { header.payloadType = self.view.header.payloadType }
            self.view = self.view.with(header)
            self.buffer.withUnsafeMutableReadableBytes { RTPPacketView.setHeader(header, in: $0) }
        }
    }

    /// Whether the marker is set.
    public var marker: Bool {
        get { self.header.marker }
        set { self.header.marker = newValue }
    }

    /// The payload's format. 64 to 95 are not taken: the old one stays.
    public var payloadType: PayloadType {
        get { self.header.payloadType }
        set { self.header.payloadType = newValue }
    }

    /// The packet's place in its stream.
    public var sequenceNumber: UInt16 {
        get { self.header.sequenceNumber }
        set { self.header.sequenceNumber = newValue }
    }

    /// The RTP timestamp, in units of the format's clock rate.
    public var timestamp: UInt32 {
        get { self.header.timestamp }
        set { self.header.timestamp = newValue }
    }

    /// The stream.
    public var ssrc: SSRC {
        get { self.header.ssrc }
        set { self.header.ssrc = newValue }
    }

    /// The packet's size in bytes.
    public var size: Int { self.view.size }

    /// Bytes are compared, so two packets are equal if they look alike on the wire.
    public static func == (lhs: RTPPacket, rhs: RTPPacket) -> Bool { lhs.buffer == rhs.buffer }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.buffer) }

    /// Lets `body` see the bytes of the packet.
    public func withBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
        try body(self.buffer.readableBytesSpan)
    }

    mutating func replace(_ buffer: ByteBuffer) -> Bool {
        guard let view = RTPPacketView(buffer.readableBytesSpan) else { return false }
        self.buffer = buffer
        self.view = view
        return true
    }
}
