/// Packets that repeat others (RFC 4588 section 4): the original's payload behind its sequence number, in a stream of their
/// own.
public enum RTXPacket {
    /// How many bytes a retransmission is longer than its original.
    public static let overhead = 2

    /// Writes the retransmission of a packet. Timestamp, marker, contributing sources and header extension are the
    /// original's; its padding is left out.
    ///
    /// To change the header extension, use an ``RTPPacketWriter`` and its `appendOriginalSequenceNumber`.
    ///
    /// - Returns: The size of the retransmission; `nil` if it does not fit into `destination`.
    public static func wrap(
        _ original: RawSpan,
        _ view: RTPPacketView,
        payloadType: PayloadType,
        ssrc: SSRC,
        sequenceNumber: UInt16,
        into destination: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let header = view.headerSize
        let size = header + Self.overhead + view.payloadRange.count
        guard view.payloadRange.upperBound <= original.byteCount, size <= destination.count else { return nil }
        original.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: destination[..<header]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[..<header])
            )
            UnsafeMutableRawBufferPointer(rebasing: destination[(header + Self.overhead)..<size]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[view.payloadRange])
            )
        }
        destination[0] &= ~0x20
        destination.setNetworkOrder(view.header.sequenceNumber, at: header)
        RTPPacketView.setPayloadType(payloadType, in: destination)
        RTPPacketView.setSequenceNumber(sequenceNumber, in: destination)
        RTPPacketView.setSSRC(ssrc, in: destination)
        return size
    }

    /// The sequence number of the packet that this one repeats; `nil` if it carries none, as mere padding does.
    public static func originalSequenceNumber(of view: RTPPacketView, in packet: RawSpan) -> UInt16? {
        guard view.payloadRange.count >= Self.overhead else { return nil }
        return packet.networkOrder(at: view.payloadRange.lowerBound)
    }

    /// Turns a retransmission into its original, in place, by moving the header over the sequence number. Padding stays.
    ///
    /// - Returns: Where the original begins in `packet`; `nil`, with the packet untouched, if it repeats nothing.
    public static func unwrap(
        _ packet: UnsafeMutableRawBufferPointer,
        _ view: RTPPacketView,
        payloadType: PayloadType,
        ssrc: SSRC
    ) -> Int? {
        guard view.size <= packet.count, let number = Self.originalSequenceNumber(of: view, in: packet.bytes),
            let base = packet.baseAddress
        else { return nil }
        (base + Self.overhead).copyMemory(from: base, byteCount: view.headerSize)
        let original = UnsafeMutableRawBufferPointer(rebasing: packet[Self.overhead...])
        RTPPacketView.setPayloadType(payloadType, in: original)
        RTPPacketView.setSequenceNumber(number, in: original)
        RTPPacketView.setSSRC(ssrc, in: original)
        return Self.overhead
    }
}
