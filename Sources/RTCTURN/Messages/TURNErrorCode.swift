/// The number of an ERROR-CODE (RFC 8489 section 14.8, RFC 8656 section 19, RFC 6062 section 6.3).
public struct TURNErrorCode: RawRepresentable, Sendable, Hashable {
    /// The number, 300 to 699.
    public let rawValue: Int

    /// A code by its number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// 300: another server is to be asked, see ALTERNATE-SERVER.
    public static let tryAlternate = TURNErrorCode(rawValue: 300)
    /// 400: the request is malformed or contradicts itself.
    public static let badRequest = TURNErrorCode(rawValue: 400)
    /// 401: the request lacks valid credentials.
    public static let unauthenticated = TURNErrorCode(rawValue: 401)
    /// 403: the request is valid and not granted, for example for this peer.
    public static let forbidden = TURNErrorCode(rawValue: 403)
    /// 420: attributes that must be understood are not; UNKNOWN-ATTRIBUTES lists them.
    public static let unknownAttribute = TURNErrorCode(rawValue: 420)
    /// 437: there is no allocation, or one already.
    public static let allocationMismatch = TURNErrorCode(rawValue: 437)
    /// 438: the nonce is too old; the response carries a new one.
    public static let staleNonce = TURNErrorCode(rawValue: 438)
    /// 440: the server has no address of the family.
    public static let addressFamilyNotSupported = TURNErrorCode(rawValue: 440)
    /// 441: the allocation belongs to somebody else.
    public static let wrongCredentials = TURNErrorCode(rawValue: 441)
    /// 442: the server does not relay over this transport.
    public static let unsupportedTransportProtocol = TURNErrorCode(rawValue: 442)
    /// 443: the peer's address is not of the allocation's family.
    public static let peerAddressFamilyMismatch = TURNErrorCode(rawValue: 443)
    /// 446: there is a connection with the peer already (RFC 6062).
    public static let connectionAlreadyExists = TURNErrorCode(rawValue: 446)
    /// 447: the peer could not be connected to (RFC 6062).
    public static let connectionTimeoutOrFailure = TURNErrorCode(rawValue: 447)
    /// 486: the user has as many allocations as allowed.
    public static let allocationQuotaReached = TURNErrorCode(rawValue: 486)
    /// 500: the server failed for a while.
    public static let serverError = TURNErrorCode(rawValue: 500)
    /// 508: the server has no more of what was asked for.
    public static let insufficientCapacity = TURNErrorCode(rawValue: 508)

    /// Every code that this module knows, in order.
    public static let all: [TURNErrorCode] = [
        .tryAlternate, .badRequest, .unauthenticated, .forbidden, .unknownAttribute, .allocationMismatch, .staleNonce,
        .addressFamilyNotSupported, .wrongCredentials, .unsupportedTransportProtocol, .peerAddressFamilyMismatch,
        .connectionAlreadyExists, .connectionTimeoutOrFailure, .allocationQuotaReached, .serverError,
        .insufficientCapacity,
    ]

    /// The recommended reason phrase; empty for codes that this module does not know.
    public var reason: String { Self.reasons[self.rawValue] ?? "" }

    private static let reasons: [Int: String] = [
        300: "Try Alternate", 400: "Bad Request", 401: "Unauthenticated", 403: "Forbidden", 420: "Unknown Attribute",
        437: "Allocation Mismatch", 438: "Stale Nonce", 440: "Address Family not Supported",
        441: "Wrong Credentials", 442: "Unsupported Transport Protocol", 443: "Peer Address Family Mismatch",
        446: "Connection Already Exists", 447: "Connection Timeout or Failure", 486: "Allocation Quota Reached",
        500: "Server Error", 508: "Insufficient Capacity",
    ]
}
