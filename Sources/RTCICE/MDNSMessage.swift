public import NIOCore
public import RTCBase

/// The little of multicast DNS that `.local` candidates need (RFC 6762): asking for a name's addresses, and reading
/// answers.
public enum MDNSMessage {
    /// One address of one name.
    public struct Answer: Sendable, Hashable {
        /// The name in lower case, without a dot at its end.
        public var name: String
        /// The address; its port is 0.
        public var address: TransportAddress
        /// How long it may be kept, in seconds; 0 takes it back.
        public var timeToLive: UInt32
    }

    /// The multicast group and port for IPv4, 224.0.0.251:5353.
    public static let ipv4Group = TransportAddress(ipv4: 0xE000_00FB, port: 5353)
    /// The multicast group and port for IPv6, [ff02::fb]:5353; its zone is the interface's.
    public static let ipv6Group = TransportAddress(ipv6High: 0xFF02_0000_0000_0000, low: 0xFB, port: 5353)

    /// The most records of one message that are read.
    private static let maximumRecords = 64
    /// The longest name, in bytes (RFC 1035 section 2.3.4).
    private static let maximumNameLength = 255

    /// A one-shot query for a name's IPv4 and IPv6 addresses that asks for a unicast answer (RFC 6762 sections 5.1
    /// and 5.4).
    ///
    /// - Returns: `nil` if the name cannot stand in DNS.
    public static func query(for name: String, id: UInt16 = 0) -> ByteBuffer? {
        guard let encoded = Self.encode(name) else { return nil }
        var buffer = ByteBufferAllocator().buffer(capacity: 12 + 2 * (encoded.count + 4))
        buffer.writeMultipleIntegers(id, UInt16(0), UInt16(2), UInt16(0), UInt16(0), UInt16(0))
        for type in [RecordType.a, .aaaa] {
            buffer.writeBytes(encoded)
            buffer.writeMultipleIntegers(type.rawValue, Self.unicastBit | Self.internet)
        }
        return buffer
    }

    /// The names that a query asks addresses of, in lower case, and whether it wants unicast answers; none if the datagram is no
    /// query.
    public static func questions(in datagram: RawSpan) -> [(name: String, wantsUnicast: Bool)] {
        guard let flags = datagram.number(at: 2, as: UInt16.self), flags & 0xF800 == 0,
            let count = datagram.number(at: 4, as: UInt16.self)
        else { return [] }
        var questions: [(name: String, wantsUnicast: Bool)] = []
        var offset = 12
        for _ in 0..<min(Int(count), Self.maximumRecords) {
            guard let (name, end) = Self.readName(in: datagram, at: offset),
                let type = datagram.number(at: end, as: UInt16.self),
                let questionClass = datagram.number(at: end + 2, as: UInt16.self)
            else { break }
            offset = end + 4
            // 255 asks for records of any type.
            guard RecordType(rawValue: type) != nil || type == 255, questionClass & ~Self.unicastBit == Self.internet
            else { continue }
            questions.append((name, questionClass & Self.unicastBit != 0))
        }
        return questions
    }

    /// A response that tells a name's address, for two minutes (RFC 6762 section 10).
    ///
    /// - Parameter simpleID: The query's identifier for an answer to a simple resolver, one on another port than 5353: it gets its
    ///   question back, and an address that it keeps for ten seconds (RFC 6762 section 6.7). `nil`, the default, for all others.
    /// - Returns: `nil` if the name cannot stand in DNS.
    public static func response(name: String, address: TransportAddress, simpleID: UInt16? = nil) -> ByteBuffer? {
        guard let encoded = Self.encode(name) else { return nil }
        let isSimple = simpleID != nil
        let type: RecordType = address.family == .ipv4 ? .a : .aaaa
        var buffer = ByteBufferAllocator().buffer(capacity: 12 + 2 * encoded.count + 30)
        let id = simpleID ?? 0
        buffer.writeMultipleIntegers(id, UInt16(0x8400), UInt16(isSimple ? 1 : 0), UInt16(1), UInt16(0), UInt16(0))
        if isSimple {
            buffer.writeBytes(encoded)
            buffer.writeMultipleIntegers(type.rawValue, Self.internet)
        }
        buffer.writeBytes(encoded)
        let recordClass = isSimple ? Self.internet : Self.unicastBit | Self.internet
        buffer.writeMultipleIntegers(type.rawValue, recordClass, UInt32(isSimple ? 10 : 120))
        let bytes = address.ipBytes
        buffer.writeInteger(UInt16(bytes.count))
        buffer.writeBytes(bytes)
        return buffer
    }

    private static func encode(_ name: String) -> [UInt8]? {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isValid = !name.isEmpty && labels.allSatisfy { (1...63).contains($0.utf8.count) }
        guard isValid, name.utf8.count < Self.maximumNameLength - 1 else { return nil }
        var encoded: [UInt8] = []
        for label in labels {
            encoded.append(UInt8(label.utf8.count))
            encoded += label.utf8
        }
        return encoded + [0]
    }

    /// The addresses that a response tells of; none if the datagram is no response, or as far as it can be read.
    public static func answers(in datagram: RawSpan) -> [Answer] {
        guard let flags = datagram.number(at: 2, as: UInt16.self), flags & 0x8000 != 0, flags & 0x000F == 0,
            let questionCount = datagram.number(at: 4, as: UInt16.self),
            let answerCount = datagram.number(at: 6, as: UInt16.self),
            let authorityCount = datagram.number(at: 8, as: UInt16.self),
            let additionalCount = datagram.number(at: 10, as: UInt16.self)
        else { return [] }
        var offset = 12
        for _ in 0..<min(Int(questionCount), Self.maximumRecords) {
            guard let (_, end) = Self.readName(in: datagram, at: offset) else { return [] }
            offset = end + 4
        }
        let count = Int(answerCount) + Int(authorityCount) + Int(additionalCount)
        var answers: [Answer] = []
        for _ in 0..<min(count, Self.maximumRecords) {
            guard let (answer, end) = Self.readRecord(in: datagram, at: offset) else { break }
            if let answer { answers.append(answer) }
            offset = end
        }
        return answers
    }

    private enum RecordType: UInt16 {
        case a = 1
        case aaaa = 28
    }

    private static let internet: UInt16 = 1
    /// In a question: answer by unicast. In a record: forget the older ones.
    private static let unicastBit: UInt16 = 0x8000

    /// Reads one record: an address or `nil` for another type, and where the next begins. `nil` if it is broken.
    private static func readRecord(in datagram: RawSpan, at offset: Int) -> (Answer?, Int)? {
        guard let (name, end) = Self.readName(in: datagram, at: offset),
            let type = datagram.number(at: end, as: UInt16.self),
            let recordClass = datagram.number(at: end + 2, as: UInt16.self),
            let timeToLive = datagram.number(at: end + 4, as: UInt32.self),
            let length = datagram.number(at: end + 8, as: UInt16.self)
        else { return nil }
        let start = end + 10
        let next = start + Int(length)
        guard next <= datagram.byteCount else { return nil }
        guard recordClass & ~Self.unicastBit == Self.internet else { return (nil, next) }
        switch (RecordType(rawValue: type), length) {
        case (.a, 4):
            guard let bits = datagram.number(at: start, as: UInt32.self) else { return nil }
            let address = TransportAddress(ipv4: bits, port: 0)
            return (Answer(name: name, address: address, timeToLive: timeToLive), next)
        case (.aaaa, 16):
            guard let high = datagram.number(at: start, as: UInt64.self),
                let low = datagram.number(at: start + 8, as: UInt64.self)
            else { return nil }
            let address = TransportAddress(ipv6High: high, low: low, port: 0)
            return (Answer(name: name, address: address, timeToLive: timeToLive), next)
        default:
            return (nil, next)
        }
    }

    /// Reads a name, following compression pointers (RFC 1035 section 4.1.4): each must lead further back than the one
    /// before, so there is no going in circles.
    private static func readName(in datagram: RawSpan, at start: Int) -> (String, Int)? {
        var bytes: [UInt8] = []
        var offset = start
        var barrier = start
        var end: Int?
        while let length = datagram.number(at: offset, as: UInt8.self) {
            switch length & 0xC0 {
            case 0x00 where length == 0:
                return (String(decoding: bytes, as: UTF8.self).lowercased(), end ?? offset + 1)
            case 0x00:
                let label = offset + 1..<offset + 1 + Int(length)
                guard label.upperBound <= datagram.byteCount,
                    bytes.count + label.count < Self.maximumNameLength
                else { return nil }
                if !bytes.isEmpty { bytes.append(UInt8(ascii: ".")) }
                datagram.withUnsafeBytes { bytes += $0[label] }
                offset = label.upperBound
            case 0xC0:
                guard let pointer = datagram.number(at: offset, as: UInt16.self) else { return nil }
                let target = Int(pointer & 0x3FFF)
                guard target < barrier else { return nil }
                end = end ?? offset + 2
                barrier = target
                offset = target
            default:
                return nil
            }
        }
        return nil
    }
}

extension RawSpan {
    /// The unsigned integer in network order at `offset`; `nil` past the end.
    fileprivate func number<Integer: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: Integer.Type
    ) -> Integer? {
        guard offset >= 0, offset <= self.byteCount - MemoryLayout<Integer>.size else { return nil }
        return Integer(bigEndian: self.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }
}
