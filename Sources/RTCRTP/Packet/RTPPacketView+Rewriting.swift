// A forwarding server changes a few fields of each copy and leaves the rest where it is.

extension RTPPacketView {
    /// Writes another sequence number into a packet, in place. Too short a packet is left alone.
    public static func setSequenceNumber(_ number: UInt16, in packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= RTPHeader.fixedSize else { return }
        packet.setNetworkOrder(number, at: 2)
    }

    /// Writes another timestamp into a packet, in place. Too short a packet is left alone.
    public static func setTimestamp(_ timestamp: UInt32, in packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= RTPHeader.fixedSize else { return }
        packet.setNetworkOrder(timestamp, at: 4)
    }

    /// Writes another SSRC into a packet, in place. Too short a packet is left alone.
    public static func setSSRC(_ ssrc: SSRC, in packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= RTPHeader.fixedSize else { return }
        packet.setNetworkOrder(ssrc.rawValue, at: 8)
    }

    /// Writes another payload type into a packet, in place; the marker stays. Too short a packet is left alone.
    public static func setPayloadType(_ payloadType: PayloadType, in packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= RTPHeader.fixedSize else { return }
        packet[1] = packet[1] & 0x80 | payloadType.rawValue
    }

    /// Sets or clears the marker of a packet, in place. Too short a packet is left alone.
    public static func setMarker(_ marker: Bool, in packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= RTPHeader.fixedSize else { return }
        packet[1] = packet[1] & 0x7F | (marker ? 0x80 : 0)
    }

    /// Writes all fixed fields anew, in place: version, padding, extension and the number of contributing sources stay.
    /// Too short a packet is left alone.
    public static func setHeader(_ header: RTPHeader, in packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= RTPHeader.fixedSize else { return }
        packet[1] = header.payloadType.rawValue | (header.marker ? 0x80 : 0)
        packet.setNetworkOrder(header.sequenceNumber, at: 2)
        packet.setNetworkOrder(header.timestamp, at: 4)
        packet.setNetworkOrder(header.ssrc.rawValue, at: 8)
    }

    /// Gives each element of the header extension the id that `remap` has for it, in place.
    ///
    /// Elements without a new id become padding. The packet keeps its size and its form, so ids above 14 have no place
    /// in a packet of the one-byte form.
    ///
    /// - Returns: `false`, with the packet untouched, if an id does not fit; write the packet anew then, see
    ///   ``RTPPacketWriter/appendExtensions(of:in:remap:)``.
    public func rewriteExtensionIDs(
        in packet: UnsafeMutableRawBufferPointer,
        remap: HeaderExtensionRemap
    ) -> Bool {
        guard let form = self.extensionForm, self.extensionRange.upperBound <= packet.count else { return true }
        let bytes = packet.bytes
        if form == .oneByte {
            var elements = self.extensions
            while let element = elements.next(in: bytes) {
                if let id = remap[element.id], id > HeaderExtensionForm.oneByte.maximumID { return false }
            }
        }
        // The iterator has passed an element before its id changes, so it may go on over what was changed.
        var elements = self.extensions
        while let element = elements.next(in: packet.bytes) {
            Self.rewrite(element, id: remap[element.id], form: form, in: packet)
        }
        return true
    }

    private static func rewrite(
        _ element: HeaderExtensionElement,
        id: UInt8?,
        form: HeaderExtensionForm,
        in packet: UnsafeMutableRawBufferPointer
    ) {
        let start = element.range.lowerBound - form.elementHeaderSize
        guard let id else {
            for offset in start..<element.range.upperBound { packet[offset] = 0 }
            return
        }
        packet[start] = form == .oneByte ? id << 4 | packet[start] & 0xF : id
    }
}
