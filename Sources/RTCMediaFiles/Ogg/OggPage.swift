internal import NIOCore

/// A page of an Ogg file (RFC 3533 section 6).
struct OggPage {
    /// The page's own flags.
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// Its first segment goes on with the packet of the page before.
        static let continued = Flags(rawValue: 1)
        /// The first page of a stream.
        static let first = Flags(rawValue: 2)
        /// The last page of a stream.
        static let last = Flags(rawValue: 4)
    }

    var flags: Flags
    /// Where the stream is behind the last packet that ends on the page; `nil` if none does.
    var granulePosition: UInt64?
    var serialNumber: UInt32
    var sequenceNumber: UInt32
    /// Sizes of the segments; one below 255 ends a packet.
    var segments: [UInt8]
    var payload: ByteBuffer

    static let headerSize = 27
    static let maximumSize = 27 + 255 + 255 * 255
    static let signature = "OggS"
    static let checksumOffset = 22
    static let maximumSegments = 255

    /// How many packets end on the page.
    var completedPacketCount: Int { self.segments.count { $0 < 255 } }

    /// Appends the page with its checksum.
    func append(to bytes: inout ByteBuffer) {
        var page = ByteBuffer()
        page.writeString(Self.signature)
        page.writeMultipleIntegers(UInt8(0), self.flags.rawValue)
        page.writeInteger(self.granulePosition ?? .max, endianness: .little)
        page.writeInteger(self.serialNumber, endianness: .little)
        page.writeInteger(self.sequenceNumber, endianness: .little)
        page.writeInteger(UInt32(0))
        page.writeInteger(UInt8(truncatingIfNeeded: self.segments.count))
        page.writeBytes(self.segments)
        page.writeImmutableBuffer(self.payload)
        page.setInteger(OggChecksum.of(page), at: Self.checksumOffset, endianness: .little)
        bytes.writeImmutableBuffer(page)
    }

    /// Reads a page from bytes that are just as many as it has; `nil` if they are not a page, or are damaged.
    init?(_ page: ByteBuffer) {
        var bytes = page
        guard bytes.readString(length: 4) == Self.signature, bytes.readInteger(as: UInt8.self) == 0,
            let flags = bytes.readInteger(as: UInt8.self),
            let granule = bytes.readInteger(endianness: .little, as: UInt64.self),
            let serial = bytes.readInteger(endianness: .little, as: UInt32.self),
            let sequence = bytes.readInteger(endianness: .little, as: UInt32.self),
            let checksum = bytes.readInteger(endianness: .little, as: UInt32.self),
            let count = bytes.readInteger(as: UInt8.self), let segments = bytes.readBytes(length: Int(count)),
            bytes.readableBytes == segments.reduce(0, { $0 + Int($1) }),
            Self.isIntact(page, checksum: checksum)
        else { return nil }
        self.init(
            flags: Flags(rawValue: flags),
            granulePosition: granule == .max ? nil : granule,
            serialNumber: serial,
            sequenceNumber: sequence,
            segments: segments,
            payload: bytes
        )
    }

    init(
        flags: Flags,
        granulePosition: UInt64?,
        serialNumber: UInt32,
        sequenceNumber: UInt32,
        segments: [UInt8],
        payload: ByteBuffer
    ) {
        self.flags = flags
        self.granulePosition = granulePosition
        self.serialNumber = serialNumber
        self.sequenceNumber = sequenceNumber
        self.segments = segments
        self.payload = payload
    }

    private static func isIntact(_ page: ByteBuffer, checksum: UInt32) -> Bool {
        var blank = page
        blank.setInteger(UInt32(0), at: page.readerIndex + self.checksumOffset)
        return OggChecksum.of(blank) == checksum
    }
}
