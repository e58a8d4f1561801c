/// The header of a DTLS 1.2 record (RFC 6347 section 4.1).
struct RecordHeader {
    enum ContentType {
        static let changeCipherSpec: UInt8 = 20
        static let alert: UInt8 = 21
        static let handshake: UInt8 = 22
        static let applicationData: UInt8 = 23
    }

    static let size = 13

    var type: UInt8
    var epoch: UInt16
    /// The sequence number within its epoch, of 48 bits.
    var sequence: UInt64
    /// The size of what follows the header, in bytes.
    var bodySize: Int

    /// Reads the header at `offset`; `nil` unless the whole record lies in `datagram` and has a known type and version.
    init?(in datagram: UnsafeRawBufferPointer, at offset: Int) {
        guard datagram.count - offset >= Self.size,
            (ContentType.changeCipherSpec...ContentType.applicationData).contains(datagram[offset]),
            datagram[offset + 1] == 0xFE
        else { return nil }
        let number = datagram.loadUnaligned(fromByteOffset: offset + 3, as: UInt64.self).bigEndian
        self.type = datagram[offset]
        self.epoch = UInt16(truncatingIfNeeded: number >> 48)
        self.sequence = number & 0xFFFF_FFFF_FFFF
        self.bodySize = Int(datagram[offset + 11]) << 8 | Int(datagram[offset + 12])
        guard self.bodySize <= datagram.count - offset - Self.size else { return nil }
    }

    /// Calls `body` with the headers of all records of a datagram, up to the first that is none.
    static func forEach(in datagram: UnsafeRawBufferPointer, _ body: (RecordHeader) -> Void) {
        var offset = 0
        while let header = RecordHeader(in: datagram, at: offset) {
            body(header)
            offset += Self.size + header.bodySize
        }
    }
}
