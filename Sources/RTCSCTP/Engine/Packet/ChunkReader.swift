/// Walks through what has a type, a length and padding to four bytes: a packet's chunks and a chunk's parameters.
///
/// Nothing is read beyond the bytes given, and a length that cannot be ends the walk.
struct ChunkReader {
    /// A chunk (RFC 9260 section 3.2).
    struct Chunk {
        var type: UInt8
        var flags: UInt8
        /// What follows the header, without padding.
        var value: UnsafeRawBufferPointer
    }

    /// A parameter (RFC 9260 section 3.2.1) or an error cause (section 3.3.10).
    struct Parameter {
        var type: UInt16
        var value: UnsafeRawBufferPointer
    }

    /// The common header (RFC 9260 section 3.1).
    static let packetHeaderSize = 12
    static let headerSize = 4

    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.rest = bytes }

    /// The chunks of a packet.
    init(packet: UnsafeRawBufferPointer) {
        self.rest = UnsafeRawBufferPointer(rebasing: packet.dropFirst(Self.packetHeaderSize))
    }

    mutating func nextChunk() -> Chunk? {
        guard let value = self.nextValue() else { return nil }
        return Chunk(type: value.header[0], flags: value.header[1], value: value.body)
    }

    mutating func nextParameter() -> Parameter? {
        guard let value = self.nextValue() else { return nil }
        return Parameter(type: value.header.uint16(at: 0), value: value.body)
    }

    private mutating func nextValue() -> (header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer)? {
        guard self.rest.count >= Self.headerSize else { return nil }
        let length = Int(self.rest.uint16(at: 2))
        guard length >= Self.headerSize, length <= self.rest.count else { return nil }
        let header = self.rest
        let body = UnsafeRawBufferPointer(rebasing: self.rest[Self.headerSize..<length])
        self.rest = UnsafeRawBufferPointer(rebasing: self.rest.dropFirst((length + 3) & ~3))
        return (header, body)
    }
}

extension UnsafeRawBufferPointer {
    /// The number of two bytes at `offset`, which must be there.
    func uint16(at offset: Int) -> UInt16 {
        UInt16(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The number of four bytes at `offset`, which must be there.
    func uint32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
