public import NIOCore

extension ByteBuffer {
    /// Appends an RTCP packet: its first four bytes, what `body` appends, and zeros up to a multiple of four. Nothing if it
    /// is longer than its length can say, 262,144 bytes.
    mutating func writeRTCP(_ type: RTCPPacketType, count: UInt8, _ body: (inout ByteBuffer) -> Void) {
        let start = self.writerIndex
        self.writeInteger(0x80 | count & 0x1F)
        self.writeInteger(type.rawValue)
        self.writeInteger(UInt16(0))
        body(&self)
        self.writeRepeatingByte(0, count: -(self.writerIndex - start) & 3)
        guard let length = UInt16(exactly: (self.writerIndex - start) / 4 - 1) else {
            self.moveWriterIndex(to: start)
            return
        }
        self.setInteger(length, at: start + 2)
    }

    mutating func writeRTCPFeedback(
        _ type: RTCPPacketType,
        format: UInt8,
        sender: SSRC,
        media: SSRC,
        _ body: (inout ByteBuffer) -> Void
    ) {
        self.writeRTCP(type, count: format) { buffer in
            buffer.writeInteger(sender.rawValue)
            buffer.writeInteger(media.rawValue)
            body(&buffer)
        }
    }

    /// Appends SR (RFC 3550 section 6.4.1).
    ///
    /// - Parameter blocks: At most 31; the others are left out.
    public mutating func writeRTCPSenderReport(
        ssrc: SSRC,
        info: RTCPSenderInfo,
        blocks: some Collection<RTCPReportBlock> = EmptyCollection()
    ) {
        let blocks = blocks.prefix(31)
        self.writeRTCP(.senderReport, count: UInt8(blocks.count)) { buffer in
            buffer.writeInteger(ssrc.rawValue)
            buffer.writeInteger(info.ntpTime.rawValue)
            buffer.writeInteger(info.rtpTimestamp)
            buffer.writeInteger(info.packetCount)
            buffer.writeInteger(info.octetCount)
            for block in blocks { buffer.writeRTCPReportBlock(block) }
        }
    }

    /// Appends RR (RFC 3550 section 6.4.2).
    ///
    /// - Parameter blocks: At most 31; the others are left out.
    public mutating func writeRTCPReceiverReport(
        ssrc: SSRC,
        blocks: some Collection<RTCPReportBlock> = EmptyCollection()
    ) {
        let blocks = blocks.prefix(31)
        self.writeRTCP(.receiverReport, count: UInt8(blocks.count)) { buffer in
            buffer.writeInteger(ssrc.rawValue)
            for block in blocks { buffer.writeRTCPReportBlock(block) }
        }
    }

    private mutating func writeRTCPReportBlock(_ block: RTCPReportBlock) {
        self.writeInteger(block.ssrc.rawValue)
        let lost = min(max(block.cumulativeLost, -0x80_0000), 0x7F_FFFF)
        self.writeInteger(UInt32(block.fractionLost) << 24 | UInt32(bitPattern: lost) & 0xFF_FFFF)
        self.writeInteger(block.highestSequenceNumber)
        self.writeInteger(block.jitter)
        self.writeInteger(block.lastSenderReport)
        self.writeInteger(block.delaySinceLastSenderReport)
    }

    /// Appends SDES of one chunk (RFC 3550 section 6.5).
    ///
    /// - Parameter items: Their texts are cut at 255 bytes.
    public mutating func writeRTCPSourceDescription(
        ssrc: SSRC,
        items: KeyValuePairs<RTCPSourceDescription.ItemType, String>
    ) {
        self.writeRTCP(.sourceDescription, count: 1) { buffer in
            buffer.writeInteger(ssrc.rawValue)
            for (type, text) in items {
                let bytes = text.utf8.prefix(255)
                buffer.writeInteger(type.rawValue)
                buffer.writeInteger(UInt8(bytes.count))
                buffer.writeBytes(bytes)
            }
            buffer.writeInteger(UInt8(0))
        }
    }

    /// Appends SDES with the CNAME of each source (RFC 3550 section 6.5.1).
    ///
    /// - Parameters:
    ///   - sources: At most 31; the others are left out.
    ///   - cname: Cut at 255 bytes.
    public mutating func writeRTCPSourceDescription(cname: String, of sources: some Collection<SSRC>) {
        let sources = sources.prefix(31)
        let bytes = cname.utf8.prefix(255)
        self.writeRTCP(.sourceDescription, count: UInt8(sources.count)) { buffer in
            for source in sources {
                buffer.writeInteger(source.rawValue)
                buffer.writeInteger(RTCPSourceDescription.ItemType.cname.rawValue)
                buffer.writeInteger(UInt8(bytes.count))
                buffer.writeBytes(bytes)
                // One zero ends the chunk, others fill it up; the four bytes before the items do not change the count.
                buffer.writeRepeatingByte(0, count: 4 - (bytes.count + 2) & 3)
            }
        }
    }

    /// Appends BYE (RFC 3550 section 6.6).
    ///
    /// - Parameters:
    ///   - sources: At most 31; the others are left out.
    ///   - reason: Cut at 255 bytes.
    public mutating func writeRTCPGoodbye(sources: some Collection<SSRC>, reason: String? = nil) {
        let sources = sources.prefix(31)
        self.writeRTCP(.goodbye, count: UInt8(sources.count)) { buffer in
            for source in sources { buffer.writeInteger(source.rawValue) }
            guard let reason else { return }
            let bytes = reason.utf8.prefix(255)
            buffer.writeInteger(UInt8(bytes.count))
            buffer.writeBytes(bytes)
        }
    }

    /// Appends APP (RFC 3550 section 6.7).
    ///
    /// - Parameters:
    ///   - subtype: 0 to 31; higher bits are dropped.
    ///   - name: Four characters, the first one in the highest byte.
    ///   - data: Filled up with zeros to a multiple of four bytes.
    public mutating func writeRTCPApplicationPacket(
        subtype: UInt8,
        ssrc: SSRC,
        name: UInt32,
        data: some Sequence<UInt8>
    ) {
        self.writeRTCP(.application, count: subtype) { buffer in
            buffer.writeInteger(ssrc.rawValue)
            buffer.writeInteger(name)
            buffer.writeBytes(data)
        }
    }

    /// Appends XR with RRTR, DLRR or both (RFC 3611 sections 4.4 and 4.5).
    public mutating func writeRTCPExtendedReport(
        ssrc: SSRC,
        referenceTime: NTPTimestamp? = nil,
        receiverDelays: some Collection<RTCPExtendedReport.ReceiverDelay> = EmptyCollection()
    ) {
        self.writeRTCP(.extendedReport, count: 0) { buffer in
            buffer.writeInteger(ssrc.rawValue)
            if let referenceTime {
                buffer.writeInteger(UInt32(RTCPExtendedReport.BlockType.receiverReferenceTime) << 24 | 2)
                buffer.writeInteger(referenceTime.rawValue)
            }
            guard !receiverDelays.isEmpty else { return }
            let words = UInt32(truncatingIfNeeded: receiverDelays.count * 3) & 0xFFFF
            buffer.writeInteger(UInt32(RTCPExtendedReport.BlockType.delaySinceLastReceiverReport) << 24 | words)
            for delay in receiverDelays {
                buffer.writeInteger(delay.ssrc.rawValue)
                buffer.writeInteger(delay.lastReceiverReport)
                buffer.writeInteger(delay.delaySinceLastReceiverReport)
            }
        }
    }
}
