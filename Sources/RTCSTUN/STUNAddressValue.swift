package import RTCBase

/// The value of an attribute that is an address: in the clear, or disguised with cookie and transaction ID (RFC 8489
/// sections 14.1 and 14.2).
package enum STUNAddressValue {
    /// Reads the value of an attribute of `type`; `nil` unless its size and family are right.
    package static func read(
        _ value: RawSpan,
        of type: STUNAttributeType,
        _ transactionID: STUNTransactionID
    ) -> TransportAddress? {
        let isXORed = type.isXORedAddress
        guard value.byteCount == 8 || value.byteCount == 20, let family: UInt16 = value.bigEndian(at: 0),
            family & 0xFF == (value.byteCount == 8 ? 1 : 2), let rawPort: UInt16 = value.bigEndian(at: 2)
        else { return nil }
        let port = isXORed ? rawPort ^ UInt16(STUNMessage.magicCookie >> 16) : rawPort
        if value.byteCount == 8 {
            guard let bits: UInt32 = value.bigEndian(at: 4) else { return nil }
            return TransportAddress(ipv4: isXORed ? bits ^ STUNMessage.magicCookie : bits, port: port)
        }
        guard let high: UInt64 = value.bigEndian(at: 4), let low: UInt64 = value.bigEndian(at: 12) else { return nil }
        let mask = isXORed ? transactionID.addressMask : (high: 0, low: 0)
        return TransportAddress(ipv6High: high ^ mask.high, low: low ^ mask.low, port: port)
    }
}

extension STUNAttributeType {
    /// Whether an address in this attribute is disguised: XOR-PEER-ADDRESS, XOR-RELAYED-ADDRESS, XOR-MAPPED-ADDRESS.
    package var isXORedAddress: Bool { self.rawValue == 0x0012 || self.rawValue == 0x0016 || self.rawValue == 0x0020 }
}

extension STUNTransactionID {
    /// What an IPv6 address is combined with: the cookie, then this ID (RFC 8489 section 14.2).
    package var addressMask: (high: UInt64, low: UInt64) {
        (
            UInt64(STUNMessage.magicCookie) << 32 | self.high >> 32,
            self.high << 32 | UInt64(self.low)
        )
    }
}
