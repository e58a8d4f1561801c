public import RTCSTUN

// Addresses go through `append(_:address:)`, LIFETIME, CONNECTION-ID and RESERVATION-TOKEN through
// `append(_:integer:)`, DATA through `append(_:bytes:)`, and DONT-FRAGMENT through `append(_:)`.

extension STUNMessageBuilder {
    /// Appends CHANNEL-NUMBER.
    public mutating func appendChannelNumber(_ channel: TURNChannelNumber) {
        self.append(.channelNumber, integer: UInt32(channel.rawValue) << 16)
    }

    /// Appends LIFETIME.
    ///
    /// - Parameter seconds: 0 ends an allocation.
    public mutating func appendLifetime(_ seconds: UInt32) {
        self.append(.lifetime, integer: seconds)
    }

    /// Appends REQUESTED-ADDRESS-FAMILY.
    public mutating func appendRequestedAddressFamily(_ family: TURNAddressFamily) {
        self.append(.requestedAddressFamily, integer: UInt32(family.rawValue) << 24)
    }

    /// Appends ADDITIONAL-ADDRESS-FAMILY; requests may carry only ``TURNAddressFamily/ipv6``.
    public mutating func appendAdditionalAddressFamily(_ family: TURNAddressFamily) {
        self.append(.additionalAddressFamily, integer: UInt32(family.rawValue) << 24)
    }

    /// Appends ADDRESS-ERROR-CODE with the code's reason phrase.
    public mutating func appendAddressErrorCode(_ error: TURNAddressError) {
        let code = min(max(error.code.rawValue, 300), 699)
        let head = [error.family.rawValue, 0, UInt8(code / 100), UInt8(code % 100)]
        self.append(.addressErrorCode, bytes: head + Array(error.code.reason.utf8))
    }

    /// Appends EVEN-PORT.
    ///
    /// - Parameter reservesNext: The R bit: whether the next port is to be reserved too.
    public mutating func appendEvenPort(reservesNext: Bool) {
        self.append(.evenPort, integer: UInt8(reservesNext ? 0x80 : 0))
    }

    /// Appends REQUESTED-TRANSPORT.
    public mutating func appendRequestedTransport(_ transport: TURNRelayTransport) {
        self.append(.requestedTransport, integer: UInt32(transport.rawValue) << 24)
    }

    /// Appends ICMP. Types above 127 and codes above 511 have no place in it and are cut.
    public mutating func appendICMP(_ icmp: TURNICMP) {
        let word = UInt32(icmp.type & 0x7F) << 9 | UInt32(icmp.code & 0x1FF)
        self.append(.icmp, integer: UInt64(word) << 32 | UInt64(icmp.data))
    }

    /// Appends CHANGE-REQUEST.
    public mutating func appendChangeRequest(_ change: STUNChangeRequest) {
        self.append(.changeRequest, integer: change.rawValue)
    }

    /// Appends RESPONSE-PORT.
    public mutating func appendResponsePort(_ port: UInt16) {
        self.append(.responsePort, integer: port)
    }

    /// Appends PADDING of `size` zero bytes.
    public mutating func appendPadding(size: Int) {
        self.append(.padding, bytes: repeatElement(0, count: max(0, size)))
    }

    /// Appends PASSWORD-ALGORITHM.
    public mutating func appendPasswordAlgorithm(_ algorithm: STUNPasswordAlgorithm) {
        self.append(.passwordAlgorithm, integer: UInt32(algorithm.rawValue) << 16)
    }

    /// Appends PASSWORD-ALGORITHMS, the preferred one first.
    public mutating func appendPasswordAlgorithms(_ algorithms: [STUNPasswordAlgorithm]) {
        self.append(.passwordAlgorithms, bytes: STUNPasswordAlgorithm.bytes(of: algorithms))
    }

    /// Appends ERROR-CODE with the code's reason phrase.
    public mutating func appendErrorCode(_ code: TURNErrorCode) {
        self.appendErrorCode(code.rawValue, reason: code.reason)
    }

    /// Appends MESSAGE-INTEGRITY-SHA256 or MESSAGE-INTEGRITY.
    public mutating func appendIntegrity(_ key: STUNIntegrityKey, sha256: Bool) {
        if sha256 {
            self.appendIntegritySHA256(key)
        } else {
            self.appendIntegrity(key)
        }
    }
}
