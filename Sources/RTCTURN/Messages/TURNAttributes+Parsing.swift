internal import RTCBase
internal import RTCSTUN

extension TURNAttributes {
    mutating func read(_ datagram: RawSpan, _ transactionID: STUNTransactionID) {
        var offset = STUNMessage.headerSize
        while let type: UInt16 = datagram.bigEndian(at: offset),
            let length: UInt16 = datagram.bigEndian(at: offset + 2)
        {
            let start = offset + 4
            let end = start + Int(length)
            guard end <= datagram.byteCount else { return }
            self.readAttribute(STUNAttributeType(rawValue: type), datagram, start..<end, transactionID)
            offset = start + (Int(length) + 3) & ~3
        }
    }

    private mutating func readAttribute(
        _ type: STUNAttributeType,
        _ datagram: RawSpan,
        _ range: Range<Int>,
        _ transactionID: STUNTransactionID
    ) {
        if type == .messageIntegritySHA256 {
            self.hasMessageIntegritySHA256 = true
            return
        }
        guard !self.hasMessageIntegrity, !self.hasMessageIntegritySHA256 else { return }
        let value = datagram.extracting(range)
        let isSound: Bool
        switch type {
        case .messageIntegrity:
            self.hasMessageIntegrity = true
            isSound = true
        case .xorPeerAddress, .xorRelayedAddress, .responseOrigin, .otherAddress:
            isSound = self.readAddress(type, value, transactionID)
        case .channelNumber, .lifetime, .reservationToken, .connectionID, .changeRequest, .responsePort:
            isSound = self.readNumber(type, value)
        case .requestedAddressFamily, .additionalAddressFamily, .evenPort, .requestedTransport, .dontFragment:
            isSound = self.readOption(type, value)
        case .addressErrorCode, .icmp, .passwordAlgorithm:
            isSound = self.readRecord(type, value)
        case .data, .userhash, .passwordAlgorithms, .alternateDomain, .padding:
            isSound = self.readRange(type, range)
        default:
            isSound = true
            if type.isComprehensionRequired, !type.isKnownToTURN, self.unknownRequired.count < Self.listLimit {
                self.unknownRequired.append(type)
            }
        }
        if !isSound, self.malformed.count < Self.listLimit { self.malformed.append(type) }
    }

    private static let listLimit = 16

    private mutating func readAddress(
        _ type: STUNAttributeType,
        _ value: RawSpan,
        _ transactionID: STUNTransactionID
    ) -> Bool {
        guard let address = STUNAddressValue.read(value, of: type, transactionID) else { return false }
        switch type {
        case .responseOrigin: Self.keep(address, in: &self.responseOrigin)
        case .otherAddress: Self.keep(address, in: &self.otherAddress)
        case .xorRelayedAddress:
            if self.relayedAddress == nil {
                self.relayedAddress = address
            } else {
                Self.keep(address, in: &self.additionalRelayedAddress)
            }
        default:
            guard self.peerAddress != nil else {
                self.peerAddress = address
                return true
            }
            guard self.furtherPeerAddresses.count < Self.maximumPeerAddresses - 1 else { return false }
            self.furtherPeerAddresses.append(address)
        }
        return true
    }

    private mutating func readNumber(_ type: STUNAttributeType, _ value: RawSpan) -> Bool {
        switch (type, value.byteCount) {
        case (.reservationToken, 8): Self.keep(value.bigEndian(at: 0), in: &self.reservationToken)
        case (.channelNumber, 4): Self.keep(value.bigEndian(at: 0), in: &self.channelNumber)
        case (.lifetime, 4): Self.keep(value.bigEndian(at: 0), in: &self.lifetime)
        case (.connectionID, 4): Self.keep(value.bigEndian(at: 0), in: &self.connectionID)
        // Two bytes and padding; some send the padding as part of the value.
        case (.responsePort, 2), (.responsePort, 4): Self.keep(value.bigEndian(at: 0), in: &self.responsePort)
        case (.changeRequest, 4):
            Self.keep(value.bigEndian(at: 0).map(STUNChangeRequest.init(rawValue:)), in: &self.changeRequest)
        default: return false
        }
        return true
    }

    private mutating func readOption(_ type: STUNAttributeType, _ value: RawSpan) -> Bool {
        let first: UInt8? = value.bigEndian(at: 0)
        switch (type, value.byteCount) {
        case (.dontFragment, 0): self.dontFragment = true
        case (.evenPort, 1): Self.keep(first.map { $0 & 0x80 != 0 }, in: &self.evenPort)
        case (.requestedTransport, 4): Self.keep(first, in: &self.requestedTransport)
        case (.requestedAddressFamily, 4): Self.keep(first, in: &self.requestedAddressFamily)
        case (.additionalAddressFamily, 4): Self.keep(first, in: &self.additionalAddressFamily)
        default: return false
        }
        return true
    }

    private mutating func readRecord(_ type: STUNAttributeType, _ value: RawSpan) -> Bool {
        guard value.byteCount >= 4, let word: UInt32 = value.bigEndian(at: 0) else { return false }
        switch type {
        case .addressErrorCode:
            guard let family = TURNAddressFamily(rawValue: UInt8(word >> 24)), word & 0xFF < 100,
                (3...6).contains(word >> 8 & 7)
            else { return false }
            let code = TURNErrorCode(rawValue: Int(word >> 8 & 7) * 100 + Int(word & 0xFF))
            Self.keep(TURNAddressError(family: family, code: code), in: &self.addressError)
        case .icmp:
            guard value.byteCount == 8, let data: UInt32 = value.bigEndian(at: 4) else { return false }
            // 16 reserved bits, 7 of type, 9 of code.
            let icmp = TURNICMP(type: UInt8(word >> 9 & 0x7F), code: UInt16(word & 0x1FF), data: data)
            Self.keep(icmp, in: &self.icmp)
        default:
            let parameterSize = Int(word & 0xFFFF)
            guard value.byteCount == 4 + (parameterSize + 3) & ~3 else { return false }
            Self.keep(STUNPasswordAlgorithm(rawValue: UInt16(word >> 16)), in: &self.passwordAlgorithm)
            return self.passwordAlgorithm != nil
        }
        return true
    }

    private mutating func readRange(_ type: STUNAttributeType, _ range: Range<Int>) -> Bool {
        switch type {
        case .data: Self.keep(range, in: &self.dataRange)
        case .padding: Self.keep(range.count, in: &self.paddingSize)
        case .userhash:
            guard range.count == 32 else { return false }
            Self.keep(range, in: &self.userhashRange)
        case .alternateDomain:
            guard range.count <= 255 else { return false }
            Self.keep(range, in: &self.alternateDomainRange)
        default: Self.keep(range, in: &self.passwordAlgorithmsRange)
        }
        return true
    }

    private static func keep<Value>(_ value: Value?, in slot: inout Value?) {
        if slot == nil { slot = value }
    }
}
