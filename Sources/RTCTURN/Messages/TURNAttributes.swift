public import RTCBase
public import RTCSTUN

/// What the attributes of TURN, RFC 6062 and RFC 5780 in a STUN message say: made in one pass beside ``STUNMessage``.
///
/// It does not hold the datagram: DATA and the lists stay where they are, and the ranges say where. Of several attributes
/// of a type the first counts but for XOR-PEER-ADDRESS, XOR-RELAYED-ADDRESS and ADDRESS-ERROR-CODE; attributes behind
/// MESSAGE-INTEGRITY count for nothing (RFC 8489 section 14.5). An attribute whose size or value is impossible is listed in
/// ``malformed`` and counts for nothing either. Nothing traps, whatever the bytes are.
public struct TURNAttributes: Sendable {
    /// CHANNEL-NUMBER as sent; see ``TURNChannelNumber`` for those that may be bound.
    public internal(set) var channelNumber: UInt16?
    /// LIFETIME, in seconds.
    public internal(set) var lifetime: UInt32?
    /// The first XOR-PEER-ADDRESS.
    public internal(set) var peerAddress: TransportAddress?
    /// Further XOR-PEER-ADDRESS attributes, at most ``maximumPeerAddresses`` less one; more make the message malformed.
    public internal(set) var furtherPeerAddresses: [TransportAddress] = []
    /// Where the value of DATA is in the datagram.
    public internal(set) var dataRange: Range<Int>?
    /// XOR-RELAYED-ADDRESS: the first, and in dual-stack allocations the second.
    public internal(set) var relayedAddress: TransportAddress?
    /// The second XOR-RELAYED-ADDRESS.
    public internal(set) var additionalRelayedAddress: TransportAddress?
    /// REQUESTED-ADDRESS-FAMILY as sent; see ``TURNAddressFamily``.
    public internal(set) var requestedAddressFamily: UInt8?
    /// ADDITIONAL-ADDRESS-FAMILY as sent; see ``TURNAddressFamily``.
    public internal(set) var additionalAddressFamily: UInt8?
    /// ADDRESS-ERROR-CODE: the first.
    public internal(set) var addressError: TURNAddressError?
    /// EVEN-PORT: whether its R bit asks to reserve the next port too.
    public internal(set) var evenPort: Bool?
    /// REQUESTED-TRANSPORT as sent; see ``TURNRelayTransport``.
    public internal(set) var requestedTransport: UInt8?
    /// Whether DONT-FRAGMENT is there.
    public internal(set) var dontFragment = false
    /// RESERVATION-TOKEN in host byte order.
    public internal(set) var reservationToken: UInt64?
    /// ICMP.
    public internal(set) var icmp: TURNICMP?
    /// CONNECTION-ID.
    public internal(set) var connectionID: UInt32?
    /// PASSWORD-ALGORITHM.
    public internal(set) var passwordAlgorithm: STUNPasswordAlgorithm?
    /// Where the value of PASSWORD-ALGORITHMS is in the datagram.
    public internal(set) var passwordAlgorithmsRange: Range<Int>?
    /// Where the 32 bytes of USERHASH are in the datagram.
    public internal(set) var userhashRange: Range<Int>?
    /// Where the domain name of ALTERNATE-DOMAIN is in the datagram.
    public internal(set) var alternateDomainRange: Range<Int>?
    /// Whether MESSAGE-INTEGRITY is there.
    public internal(set) var hasMessageIntegrity = false
    /// Whether MESSAGE-INTEGRITY-SHA256 is there.
    public internal(set) var hasMessageIntegritySHA256 = false
    /// CHANGE-REQUEST.
    public internal(set) var changeRequest: STUNChangeRequest?
    /// The size of PADDING, in bytes.
    public internal(set) var paddingSize: Int?
    /// RESPONSE-PORT.
    public internal(set) var responsePort: UInt16?
    /// RESPONSE-ORIGIN.
    public internal(set) var responseOrigin: TransportAddress?
    /// OTHER-ADDRESS.
    public internal(set) var otherAddress: TransportAddress?

    /// The types of known attributes with impossible values, at most 16.
    public internal(set) var malformed: [STUNAttributeType] = []
    /// The types of attributes that must be understood and that no TURN agent knows, at most 16: what a 420 lists.
    public internal(set) var unknownRequired: [STUNAttributeType] = []

    /// How many XOR-PEER-ADDRESS attributes of a message are read.
    public static let maximumPeerAddresses = 64

    /// Reads the attributes of the datagram from which `message` was made.
    public init(of message: STUNMessage, in datagram: RawSpan) {
        self.read(datagram, message.transactionID)
    }

    /// All of XOR-PEER-ADDRESS, in order.
    public var peerAddresses: [TransportAddress] {
        self.peerAddress.map { [$0] + self.furtherPeerAddresses } ?? []
    }

    /// The algorithms of PASSWORD-ALGORITHMS in order, `nil` if it is not there or malformed (RFC 8489 section 14.11).
    /// Algorithms without a name here are left out.
    public func passwordAlgorithms(in datagram: RawSpan) -> [STUNPasswordAlgorithm]? {
        guard let range = self.passwordAlgorithmsRange, range.upperBound <= datagram.byteCount else { return nil }
        return STUNPasswordAlgorithm.list(from: datagram.extracting(range))
    }

    /// The domain name of ALTERNATE-DOMAIN (RFC 8489 section 14.16).
    public func alternateDomain(in datagram: RawSpan) -> String? {
        self.alternateDomainRange.map { datagram.text(in: $0) }
    }
}
