/// Where the parts of an RTP packet are (RFC 3550 section 5.1): what SRTP has to know of it.
struct RTPLayout {
    /// The header without contributing sources.
    static let fixedHeaderLength = 12
    /// The longest packet, which no datagram exceeds.
    static let maximumLength = 65_535

    /// The length of fixed header, contributing sources and header extension.
    let headerLength: Int
    /// Where contributing sources end, and a header extension begins if there is one.
    let sourcesEnd: Int
    /// The header extension's "defined by profile" field, `nil` without an extension.
    let extensionProfile: UInt16?
    /// The synchronization source.
    let ssrc: UInt32
    /// The sequence number.
    let sequenceNumber: UInt16

    /// Reads a packet's header; `nil` if it is none of version 2, or its lists reach past the end.
    init?(_ packet: UnsafeRawBufferPointer) {
        guard packet.count >= Self.fixedHeaderLength, packet.count <= Self.maximumLength, packet[0] >> 6 == 2 else {
            return nil
        }
        self.sequenceNumber = packet.bigEndian(at: 2)
        self.ssrc = packet.bigEndian(at: 8)
        self.sourcesEnd = Self.fixedHeaderLength + 4 * Int(packet[0] & 0x0F)
        guard packet[0] & 0x10 != 0 else {
            self.extensionProfile = nil
            self.headerLength = self.sourcesEnd
            guard self.headerLength <= packet.count else { return nil }
            return
        }
        guard self.sourcesEnd + 4 <= packet.count else { return nil }
        self.extensionProfile = packet.bigEndian(at: self.sourcesEnd)
        let words: UInt16 = packet.bigEndian(at: self.sourcesEnd + 2)
        self.headerLength = self.sourcesEnd + 4 + 4 * Int(words)
        guard self.headerLength <= packet.count else { return nil }
    }

    /// Whether there are contributing sources.
    var hasSources: Bool { self.sourcesEnd > Self.fixedHeaderLength }

    /// Whether Cryptex marked the packet as its own.
    var isCryptex: Bool { self.extensionProfile.flatMap(CryptexProfile.init(encrypted:)) != nil }

    /// Whether Cryptex has to add an empty extension, to have a place for its mark (RFC 9335 section 5.1).
    var needsExtensionForCryptex: Bool { self.extensionProfile == nil && self.hasSources }

    /// Whether there is something in the header that Cryptex would hide, and did not.
    var showsHeader: Bool { self.extensionProfile == nil ? self.hasSources : !self.isCryptex }
}

/// The two kinds of header extension Cryptex knows, in clear and encrypted (RFC 9335 section 4).
enum CryptexProfile: UInt16 {
    /// Extensions with one-byte headers.
    case oneByte = 0xBEDE
    /// Extensions with two-byte headers, without application bits.
    case twoByte = 0x1000

    /// The kind that an encrypted packet's "defined by profile" field stands for.
    init?(encrypted: UInt16) {
        switch encrypted {
        case 0xC0DE: self = .oneByte
        case 0xC2DE: self = .twoByte
        default: return nil
        }
    }

    /// What the field says in an encrypted packet.
    var encrypted: UInt16 { self == .oneByte ? 0xC0DE : 0xC2DE }
}

/// What SRTP has to know of a compound RTCP packet.
enum RTCPLayout {
    /// The part that stays in clear: the first packet's header and its sender's SSRC.
    static let headerLength = 8
    /// The flag, in the word behind the packet, that says it is encrypted (RFC 3711 section 3.4).
    static let encryptedFlag: UInt32 = 1 << 31

    /// Whether this can be a compound packet, protected or not.
    static func isRTCP(_ packet: UnsafeRawBufferPointer) -> Bool {
        packet.count >= Self.headerLength && packet.count <= RTPLayout.maximumLength && packet[0] >> 6 == 2
    }
}

extension UnsafeRawBufferPointer {
    /// The unsigned integer in network order at `offset`, which must lie inside.
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Integer {
        Integer(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

extension UnsafeRawPointer {
    /// The unsigned integer in network order at `offset`.
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Integer {
        Integer(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

extension UnsafeMutableRawPointer {
    /// Writes an unsigned integer in network order.
    func storeBigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_ integer: Integer, at offset: Int) {
        self.storeBytes(of: integer.bigEndian, toByteOffset: offset, as: Integer.self)
    }
}
