public import RTCBase

/// What a STUN message says: a flat value, made in one pass over a datagram without allocating.
///
/// It does not hold the datagram. What is not copied out (texts, integrity codes, unknown attributes) is read from the
/// same datagram again, which the caller passes along; with another one the answers are wrong, but nothing traps.
///
/// The pass checks the header, every attribute's border, the sizes of the attributes it knows and FINGERPRINT. It does
/// not check MESSAGE-INTEGRITY: see ``hasValidIntegrity(in:key:)``. Of several attributes of a type the first counts,
/// and attributes behind MESSAGE-INTEGRITY count for nothing but FINGERPRINT and MESSAGE-INTEGRITY-SHA256 (RFC 8489
/// section 14.5).
public struct STUNMessage: Sendable {
    /// The size of the header, in bytes.
    public static let headerSize = 20
    /// The constant in bytes 4 to 7.
    public static let magicCookie: UInt32 = 0x2112_A442

    /// Request, indication or response.
    public let messageClass: STUNClass
    /// What the message is for.
    public let method: STUNMethod
    /// The transaction's ID.
    public let transactionID: STUNTransactionID

    /// XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS where only that is there.
    public internal(set) var mappedAddress: TransportAddress?
    /// ALTERNATE-SERVER: where to ask instead.
    public internal(set) var alternateServer: TransportAddress?
    /// PRIORITY (RFC 8445 section 7.1.1).
    public internal(set) var priority: UInt32?
    /// Whether USE-CANDIDATE is there: the sender nominates.
    public internal(set) var useCandidate = false
    /// The tie-breaker of ICE-CONTROLLING.
    public internal(set) var iceControlling: UInt64?
    /// The tie-breaker of ICE-CONTROLLED.
    public internal(set) var iceControlled: UInt64?
    /// NOMINATION: of several nominations the one with the largest number counts.
    public internal(set) var nomination: UInt32?
    /// The number of ERROR-CODE, 300 to 699.
    public internal(set) var errorCode: Int?
    /// Whether FINGERPRINT is there; a wrong one makes the message no message.
    public internal(set) var hasFingerprint = false
    /// How many attributes nobody here knows although the sender demands it. Their types:
    /// ``unknownComprehensionRequired(in:)``.
    public internal(set) var unknownComprehensionRequiredCount = 0

    // Ranges of the values kept in the datagram; empty ranges stand for missing attributes, see `Slot`.
    var usernameRange = 0..<0
    var reasonRange = 0..<0
    var realmRange = 0..<0
    var nonceRange = 0..<0
    var softwareRange = 0..<0
    var integrityRange = 0..<0
    var integritySHA256Range = 0..<0

    /// Whether a datagram looks like STUN: two zero bits, the magic cookie, a length that is the datagram's.
    public static func isSTUN(_ datagram: RawSpan) -> Bool {
        guard datagram.byteCount >= Self.headerSize,
            let type: UInt16 = datagram.bigEndian(at: 0), type & 0xC000 == 0,
            let length: UInt16 = datagram.bigEndian(at: 2), length % 4 == 0,
            Int(length) + Self.headerSize == datagram.byteCount,
            let cookie: UInt32 = datagram.bigEndian(at: 4)
        else { return false }
        return cookie == Self.magicCookie
    }

    /// The ID of a STUN datagram without reading more of it, `nil` if it is none.
    public static func transactionID(of datagram: RawSpan) -> STUNTransactionID? {
        guard Self.isSTUN(datagram), let high: UInt64 = datagram.bigEndian(at: 8),
            let low: UInt32 = datagram.bigEndian(at: 16)
        else { return nil }
        return STUNTransactionID(high: high, low: low)
    }

    /// Reads a datagram; `nil` if it is not a well-formed STUN message.
    public init?(_ datagram: RawSpan) {
        guard let id = Self.transactionID(of: datagram), let type: UInt16 = datagram.bigEndian(at: 0),
            let (messageClass, method) = STUNMessageType.decode(type)
        else { return nil }
        self.messageClass = messageClass
        self.method = method
        self.transactionID = id
        guard self.readAttributes(of: datagram) else { return nil }
    }

    /// Calls `body` with the type and value of each attribute in the order sent, until it returns `false`; those behind
    /// MESSAGE-INTEGRITY are among them.
    public static func forEachAttribute(
        in datagram: RawSpan,
        _ body: (STUNAttributeType, RawSpan) -> Bool
    ) {
        var offset = Self.headerSize
        while let type: UInt16 = datagram.bigEndian(at: offset),
            let length: UInt16 = datagram.bigEndian(at: offset + 2)
        {
            let start = offset + 4
            let end = start + Int(length)
            guard end <= datagram.byteCount else { return }
            guard body(STUNAttributeType(rawValue: type), datagram.extracting(start..<end)) else { return }
            offset = start + (Int(length) + 3) & ~3
        }
    }
}
