internal import NIOCore
public import RTCBase
internal import RTCSTUN

/// What a datagram of a client's says to a peer: bytes of the very datagram, to be sent from a relay.
public struct TURNForward: Sendable, Hashable {
    /// From which relay.
    public let relay: TURNRelayID
    /// To which peer.
    public let peer: TransportAddress
    /// Where the application data is in the datagram.
    public let payload: Range<Int>
    /// Whether the datagram may not be fragmented (RFC 8656 section 11.1).
    public let dontFragment: Bool
}

/// How a peer's datagram goes to the client: behind a header, and with padding behind it.
public struct TURNDelivery: Sendable, Hashable {
    /// To whom.
    public let client: TURNFiveTuple
    /// The channel; `nil` for a Data indication.
    public let channel: TURNChannelNumber?
    let peer: TransportAddress
    let transactionID: STUNTransactionID

    /// The longest header, in bytes.
    public static let maximumHeaderSize = 48

    /// The size of the header, in bytes: 4, 36 or 48.
    public var headerSize: Int {
        if self.channel != nil { return TURNChannelData.headerSize }
        return STUNMessage.headerSize + (self.peer.family == .ipv4 ? 12 : 24) + 4
    }

    /// How many zero bytes follow the application data: none for ChannelData over UDP.
    public func paddingSize(forPayloadOf count: Int) -> Int {
        self.channel != nil && !self.client.transport.isStream ? 0 : -count & 3
    }

    /// Writes the header in front of `count` bytes of application data, at most 65,000.
    ///
    /// - Parameter target: ``headerSize`` bytes.
    public func writeHeader(to target: UnsafeMutableRawBufferPointer, payloadCount count: Int) {
        if let channel = self.channel {
            target.storeBytes(of: TURNChannelData.header(channel, count: count).bigEndian, as: UInt32.self)
            return
        }
        // As STUNMessageBuilder would, without memory of its own.
        var offset = 0
        func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
            target.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
            offset += MemoryLayout<Value>.size
        }
        store(STUNMessageType.encode(.indication, .data))
        store(UInt16(clamping: self.headerSize - STUNMessage.headerSize + count + (-count & 3)))
        store(STUNMessage.magicCookie)
        store(self.transactionID.high)
        store(self.transactionID.low)
        store(STUNAttributeType.xorPeerAddress.rawValue)
        let port = self.peer.port ^ UInt16(STUNMessage.magicCookie >> 16)
        switch self.peer.family {
        case .ipv4:
            store(UInt32(8) << 16 | 1)
            store(port)
            store(UInt32(truncatingIfNeeded: self.peer.ipLow) ^ STUNMessage.magicCookie)
        case .ipv6:
            let mask = self.transactionID.addressMask
            store(UInt32(20) << 16 | 2)
            store(port)
            store(self.peer.ipv6High ^ mask.high)
            store(self.peer.ipLow ^ mask.low)
        }
        store(STUNAttributeType.data.rawValue)
        store(UInt16(clamping: count))
    }
}
