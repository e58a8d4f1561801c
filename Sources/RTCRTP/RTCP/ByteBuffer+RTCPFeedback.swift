public import NIOCore

extension ByteBuffer {
    /// Appends a generic NACK (RFC 4585 section 6.2.1).
    ///
    /// - Parameter sequenceNumbers: Of the missing packets, oldest first; neighbours share a word. None writes nothing.
    public mutating func writeRTCPGenericNACK(
        sender: SSRC,
        media: SSRC,
        sequenceNumbers: some Sequence<UInt16>
    ) {
        var numbers = sequenceNumbers.makeIterator()
        guard var first = numbers.next() else { return }
        self.writeRTCPFeedback(
            .transportFeedback,
            format: RTCPFeedbackFormat.genericNACK,
            sender: sender,
            media: media
        ) { buffer in
            var mask: UInt16 = 0
            while let number = numbers.next() {
                let distance = number &- first
                if distance == 0 { continue }
                if distance <= 16 {
                    mask |= 1 << (distance - 1)
                } else {
                    buffer.writeInteger(UInt32(first) << 16 | UInt32(mask))
                    first = number
                    mask = 0
                }
            }
            buffer.writeInteger(UInt32(first) << 16 | UInt32(mask))
        }
    }

    /// Appends TMMBR (RFC 5104 section 4.2.1).
    public mutating func writeRTCPMaxBitrateRequest(sender: SSRC, limits: some Sequence<RTCPMaxBitrate.Limit>) {
        self.writeRTCPMaxBitrate(RTCPFeedbackFormat.maxBitrateRequest, sender, limits)
    }

    /// Appends TMMBN (RFC 5104 section 4.2.2).
    public mutating func writeRTCPMaxBitrateNotification(
        sender: SSRC,
        limits: some Sequence<RTCPMaxBitrate.Limit>
    ) {
        self.writeRTCPMaxBitrate(RTCPFeedbackFormat.maxBitrateNotification, sender, limits)
    }

    private mutating func writeRTCPMaxBitrate(
        _ format: UInt8,
        _ sender: SSRC,
        _ limits: some Sequence<RTCPMaxBitrate.Limit>
    ) {
        self.writeRTCPFeedback(.transportFeedback, format: format, sender: sender, media: SSRC(0)) { buffer in
            for limit in limits {
                let (exponent, mantissa) = ScaledBitrate.scaled(limit.bitrate, mantissaBits: 17)
                buffer.writeInteger(limit.ssrc.rawValue)
                buffer.writeInteger(exponent << 26 | mantissa << 9 | UInt32(limit.overhead & 0x1FF))
            }
        }
    }

    /// Appends PLI (RFC 4585 section 6.3.1).
    public mutating func writeRTCPPictureLossIndication(sender: SSRC, media: SSRC) {
        self.writeRTCPFeedback(
            .payloadFeedback,
            format: RTCPFeedbackFormat.pictureLoss,
            sender: sender,
            media: media
        ) { _ in }
    }

    /// Appends FIR (RFC 5104 section 4.3.1).
    public mutating func writeRTCPFullIntraRequest(
        sender: SSRC,
        requests: some Sequence<RTCPFullIntraRequest.Request>
    ) {
        self.writeRTCPFeedback(
            .payloadFeedback,
            format: RTCPFeedbackFormat.fullIntraRequest,
            sender: sender,
            media: SSRC(0)
        ) { buffer in
            for request in requests {
                buffer.writeInteger(request.ssrc.rawValue)
                buffer.writeInteger(UInt32(request.sequenceNumber) << 24)
            }
        }
    }

    /// Appends REMB (draft-alvestrand-rmcat-remb-03 section 2.2).
    ///
    /// - Parameters:
    ///   - bitrate: In bits per second, rounded down to 18 significant bits.
    ///   - sources: At most 255; the others are left out.
    public mutating func writeRTCPReceiverEstimate(
        sender: SSRC,
        bitrate: UInt64,
        sources: some Collection<SSRC>
    ) {
        let sources = sources.prefix(255)
        self.writeRTCPFeedback(
            .payloadFeedback,
            format: RTCPFeedbackFormat.applicationLayer,
            sender: sender,
            media: SSRC(0)
        ) { buffer in
            let (exponent, mantissa) = ScaledBitrate.scaled(bitrate, mantissaBits: 18)
            buffer.writeInteger(RTCPReceiverEstimate.identifier)
            buffer.writeInteger(UInt32(sources.count) << 24 | exponent << 18 | mantissa)
            for source in sources { buffer.writeInteger(source.rawValue) }
        }
    }

    /// Appends congestion control feedback (RFC 8888 section 3.1).
    ///
    /// - Parameters:
    ///   - streams: Of each the first 16,384 packets.
    ///   - reportTimestamp: The middle 32 bits of the NTP time that arrivals are counted back from.
    public mutating func writeRTCPCongestionFeedback(
        sender: SSRC,
        streams: some Sequence<RTCPCongestionFeedback.Stream>,
        reportTimestamp: UInt32
    ) {
        self.writeRTCP(.transportFeedback, count: RTCPFeedbackFormat.congestionControl) { buffer in
            buffer.writeInteger(sender.rawValue)
            for stream in streams {
                let metrics = stream.metrics.prefix(RTCPCongestionFeedback.maximumMetricCount)
                buffer.writeInteger(stream.ssrc.rawValue)
                buffer.writeInteger(stream.firstSequenceNumber)
                buffer.writeInteger(UInt16(metrics.count))
                for metric in metrics { buffer.writeInteger(metric?.bits ?? 0) }
                if metrics.count % 2 != 0 { buffer.writeInteger(UInt16(0)) }
            }
            buffer.writeInteger(reportTimestamp)
        }
    }
}
