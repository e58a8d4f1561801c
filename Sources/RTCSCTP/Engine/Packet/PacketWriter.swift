internal import CRTCUsrsctp

/// Writes one packet into memory of a fixed size.
struct PacketWriter {
    private static let hasHardwareCRC32c = crtc_has_hardware_crc32c()

    let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = ChunkReader.packetHeaderSize

    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    /// Whether there is no chunk yet.
    var isEmpty: Bool { self.count == ChunkReader.packetHeaderSize }
    /// How many bytes a further chunk may have, padding included.
    var room: Int { self.bytes.count - self.count }

    mutating func append(_ value: UInt8) {
        self.bytes[self.count] = value
        self.count += 1
    }

    mutating func append(_ value: UInt16) {
        self.bytes.storeBytes(of: value.bigEndian, toByteOffset: self.count, as: UInt16.self)
        self.count += 2
    }

    mutating func append(_ value: UInt32) {
        self.bytes.storeBytes(of: value.bigEndian, toByteOffset: self.count, as: UInt32.self)
        self.count += 4
    }

    mutating func append(_ value: UnsafeRawBufferPointer) {
        guard value.count > 0, let source = value.baseAddress, let target = self.bytes.baseAddress else { return }
        (target + self.count).copyMemory(from: source, byteCount: value.count)
        self.count += value.count
    }

    mutating func appendChunkHeader(type: UInt8, flags: UInt8, valueSize: Int) {
        self.append(type)
        self.append(flags)
        self.append(UInt16(truncatingIfNeeded: ChunkReader.headerSize + valueSize))
    }

    /// Fills up to four bytes.
    mutating func pad() {
        while self.count & 3 != 0 { self.append(UInt8(0)) }
    }

    /// Writes the common header and the checksum (RFC 9260 section 3.1).
    mutating func finish(sourcePort: UInt16, destinationPort: UInt16, tag: UInt32) -> UnsafeRawBufferPointer {
        let end = self.count
        self.count = 0
        self.append(sourcePort)
        self.append(destinationPort)
        self.append(tag)
        self.append(UInt32(0))
        self.count = end
        let packet = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(self.bytes)[..<end])
        let checksum = crtc_crc32c(packet.baseAddress, packet.count, Self.hasHardwareCRC32c)
        // As it stands in memory.
        self.bytes.storeBytes(of: checksum, toByteOffset: 8, as: UInt32.self)
        return packet
    }
}

/// A chunk that waits to be sent: everything but DATA, SACK and FORWARD-TSN, which are made when they go.
struct ControlChunk {
    var type: UInt8
    var flags: UInt8 = 0
    var value: [UInt8] = []

    /// Its size in a packet.
    var size: Int { (ChunkReader.headerSize + self.value.count + 3) & ~3 }

    func write(to packet: inout PacketWriter) {
        packet.appendChunkHeader(type: self.type, flags: self.flags, valueSize: self.value.count)
        self.value.withUnsafeBytes { packet.append($0) }
        packet.pad()
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: UInt16) {
        self.append(UInt8(truncatingIfNeeded: value >> 8))
        self.append(UInt8(truncatingIfNeeded: value))
    }

    mutating func append(bigEndian value: UInt32) {
        self.append(bigEndian: UInt16(truncatingIfNeeded: value >> 16))
        self.append(bigEndian: UInt16(truncatingIfNeeded: value))
    }

    /// Appends a parameter, padded to four bytes.
    mutating func appendParameter(_ type: UInt16, _ value: [UInt8]) {
        self.append(bigEndian: type)
        self.append(bigEndian: UInt16(truncatingIfNeeded: ChunkReader.headerSize + value.count))
        self.append(contentsOf: value)
        while self.count & 3 != 0 { self.append(0) }
    }
}
