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
        var builder = STUNMessageBuilder(.indication, .data, self.transactionID)
        builder.append(.xorPeerAddress, address: self.peer)
        var header = builder.finish()
        header.writeInteger(STUNAttributeType.data.rawValue)
        header.writeInteger(UInt16(clamping: count))
        let length = header.readableBytes - STUNMessage.headerSize + count + (-count & 3)
        header.setInteger(UInt16(clamping: length), at: header.readerIndex + 2)
        header.readableBytesView.withUnsafeBytes { target.copyMemory(from: $0) }
    }
}
