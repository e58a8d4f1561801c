internal import RTCBase

extension STUNMessage {
    /// Walks over the attributes; `false` if one is broken.
    mutating func readAttributes(of datagram: RawSpan) -> Bool {
        var offset = Self.headerSize
        while offset < datagram.byteCount {
            guard let type: UInt16 = datagram.bigEndian(at: offset),
                let length: UInt16 = datagram.bigEndian(at: offset + 2)
            else { return false }
            let start = offset + 4
            let end = start + Int(length)
            let next = start + (Int(length) + 3) & ~3
            guard next <= datagram.byteCount else { return false }
            let attribute = STUNAttributeType(rawValue: type)
            if attribute == .fingerprint {
                // It covers all before it, so it is the last (RFC 8489 section 14.7).
                return next == datagram.byteCount && self.readFingerprint(of: datagram, at: start, end: end)
            }
            guard self.readAttribute(attribute, of: datagram, start..<end) else { return false }
            offset = next
        }
        return true
    }

    private mutating func readFingerprint(of datagram: RawSpan, at start: Int, end: Int) -> Bool {
        guard end - start == 4, let value: UInt32 = datagram.bigEndian(at: start) else { return false }
        self.hasFingerprint = true
        return value == CRC32.checksum(of: datagram, count: start - 4) ^ Self.fingerprintMask
    }

    /// What FINGERPRINT's checksum is combined with: "STUN" in ASCII.
    static let fingerprintMask: UInt32 = 0x5354_554E

    private mutating func readAttribute(
        _ type: STUNAttributeType,
        of datagram: RawSpan,
        _ range: Range<Int>
    ) -> Bool {
        guard self.integritySHA256Range.isEmpty else { return true }
        if type == .messageIntegritySHA256 {
            self.integritySHA256Range = range
            return range.count >= 16 && range.count <= 32 && range.count % 4 == 0
        }
        guard self.integrityRange.isEmpty else { return true }
        switch type {
        case .messageIntegrity:
            self.integrityRange = range
            return range.count == 20
        case .username:
            return Self.keep(range, in: &self.usernameRange, limit: 513)
        case .realm:
            return Self.keep(range, in: &self.realmRange, limit: 763)
        case .nonce:
            return Self.keep(range, in: &self.nonceRange, limit: 763)
        case .software:
            return Self.keep(range, in: &self.softwareRange, limit: 763)
        case .mappedAddress, .xorMappedAddress, .alternateServer:
            return self.readAddress(type, of: datagram, range)
        case .errorCode:
            return self.readErrorCode(of: datagram, range)
        case .priority, .useCandidate, .iceControlling, .iceControlled, .nomination:
            return self.readICEAttribute(type, of: datagram, range)
        default:
            if type.isComprehensionRequired && !type.isKnown { self.unknownComprehensionRequiredCount += 1 }
            return true
        }
    }

    private static func keep(_ range: Range<Int>, in slot: inout Range<Int>, limit: Int) -> Bool {
        if slot.lowerBound == 0 { slot = range }
        return range.count <= limit
    }

    private mutating func readICEAttribute(
        _ type: STUNAttributeType,
        of datagram: RawSpan,
        _ range: Range<Int>
    ) -> Bool {
        switch type {
        case .priority:
            guard range.count == 4 else { return false }
            self.priority = self.priority ?? datagram.bigEndian(at: range.lowerBound)
        case .nomination:
            // Not registered: of another size it is something else, which need not be understood.
            guard range.count == 4 else { return true }
            self.nomination = self.nomination ?? datagram.bigEndian(at: range.lowerBound)
        case .iceControlling:
            guard range.count == 8 else { return false }
            self.iceControlling = self.iceControlling ?? datagram.bigEndian(at: range.lowerBound)
        case .iceControlled:
            guard range.count == 8 else { return false }
            self.iceControlled = self.iceControlled ?? datagram.bigEndian(at: range.lowerBound)
        default:
            guard range.isEmpty else { return false }
            self.useCandidate = true
        }
        return true
    }

    private mutating func readErrorCode(of datagram: RawSpan, _ range: Range<Int>) -> Bool {
        guard range.count >= 4, range.count <= 767, let word: UInt32 = datagram.bigEndian(at: range.lowerBound)
        else { return false }
        let hundreds = Int(word >> 8 & 7)
        let rest = Int(word & 0xFF)
        guard (3...6).contains(hundreds), rest < 100 else { return false }
        if self.errorCode == nil {
            self.errorCode = hundreds * 100 + rest
            self.reasonRange = range.lowerBound + 4..<range.upperBound
        }
        return true
    }

    private mutating func readAddress(
        _ type: STUNAttributeType,
        of datagram: RawSpan,
        _ range: Range<Int>
    ) -> Bool {
        let value = datagram.extracting(range)
        guard let address = STUNAddressValue.read(value, of: type, self.transactionID) else { return false }
        switch type {
        case .alternateServer: self.alternateServer = self.alternateServer ?? address
        case .xorMappedAddress: self.mappedAddress = address
        default: self.mappedAddress = self.mappedAddress ?? address
        }
        return true
    }
}
