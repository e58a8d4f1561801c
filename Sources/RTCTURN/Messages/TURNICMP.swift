/// The value of ICMP: what an ICMP packet told of a datagram that a relay sent (RFC 8656 section 18.13).
public struct TURNICMP: Sendable, Hashable {
    /// The ICMP type: of ICMPv4 or ICMPv6, whichever is the family of the peer.
    public var type: UInt8
    /// The ICMP code.
    public var code: UInt16
    /// The error data: the next hop's MTU, or 0.
    public var data: UInt32

    /// The contents of an ICMP attribute.
    public init(type: UInt8, code: UInt16, data: UInt32 = 0) {
        self.type = type
        self.code = code
        self.data = data
    }
}

/// The value of ADDRESS-ERROR-CODE: why one of two families was not allocated (RFC 8656 section 18.12).
public struct TURNAddressError: Sendable, Hashable {
    /// The family that was not allocated.
    public var family: TURNAddressFamily
    /// Why.
    public var code: TURNErrorCode

    /// The contents of an ADDRESS-ERROR-CODE attribute.
    public init(family: TURNAddressFamily, code: TURNErrorCode) {
        self.family = family
        self.code = code
    }
}
