internal import NIOCore

/// Puts the packets of one Ogg stream together, over the borders of pages (RFC 3533 section 5).
struct OggPacketAssembler {
    private var partial: ByteBuffer?
    private var nextSequenceNumber: UInt32?
    private let limit: Int
    /// How many packets were lost with pages that are missing, and for being too large.
    private(set) var lostPacketCount = 0

    /// - Parameter limit: Larger packets, in bytes, are dropped.
    init(limit: Int) { self.limit = limit }

    /// The packets that end on `page`, in order.
    mutating func append(_ page: OggPage) -> [ByteBuffer] {
        if let expected = self.nextSequenceNumber, expected != page.sequenceNumber { self.drop() }
        self.nextSequenceNumber = page.sequenceNumber &+ 1
        let isContinued = page.flags.contains(.continued)
        if !isContinued { self.drop() }
        // The rest of a packet whose beginning is not there.
        var isOrphan = isContinued && self.partial == nil
        var payload = page.payload
        var packets: [ByteBuffer] = []
        for segment in page.segments {
            guard let bytes = payload.readSlice(length: Int(segment)) else { break }
            if !isOrphan { isOrphan = !self.add(bytes) }
            guard segment < 255 else { continue }
            if let packet = self.partial { packets.append(packet) }
            self.partial = nil
            isOrphan = false
        }
        return packets
    }

    /// Adds to the packet that is being put together; `false` if it became too large.
    private mutating func add(_ bytes: ByteBuffer) -> Bool {
        var packet = self.partial ?? ByteBuffer()
        self.partial = nil
        guard packet.readableBytes + bytes.readableBytes <= self.limit else {
            self.lostPacketCount += 1
            return false
        }
        packet.writeImmutableBuffer(bytes)
        self.partial = packet
        return true
    }

    private mutating func drop() {
        if self.partial != nil { self.lostPacketCount += 1 }
        self.partial = nil
    }
}
