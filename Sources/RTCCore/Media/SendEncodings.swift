import RTCBase
import RTCRTP

/// The rules of W3C webrtc-pc for the encodings of a sender.
enum SendEncodings {
    /// Checks and completes the encodings that a transceiver is made with (section 5.1, `addTransceiver`).
    static func checked(
        _ encodings: [RTCRtpEncodingParameters],
        _ kind: MediaKind,
        _ codecs: [RTCRtpCodec],
        maximum: Int
    ) throws(RTCError) -> [RTCRtpEncodingParameters] {
        try self.checkIdentifiers(encodings)
        for encoding in encodings {
            guard encoding.codec.map({ codec in self.isChoosable(codec, codecs) }) ?? true else {
                throw RTCError(.operation, "the codec of an encoding is not among the capabilities")
            }
        }
        var encodings = encodings
        if kind == .audio {
            for index in encodings.indices {
                encodings[index].scaleResolutionDownBy = nil
                encodings[index].maxFramerate = nil
            }
        }
        try self.checkRanges(encodings)
        // Sound has no simulcast.
        encodings.removeLast(max(0, encodings.count - (kind == .audio ? 1 : maximum)))
        if kind == .video { self.completeScaling(&encodings) }
        if encodings.count == 1 { encodings[0].rid = nil }
        return encodings
    }

    /// Checks a change of parameters against what was read before (section 5.2, `setParameters`).
    static func checked(
        change parameters: RTCRtpSendParameters,
        from last: RTCRtpSendParameters,
        _ kind: MediaKind,
        _ codecs: [RTCRtpCodec]
    ) throws(RTCError) -> [RTCRtpEncodingParameters] {
        func refuse(_ what: String) -> RTCError { RTCError(.invalidModification, "\(what) may not be changed") }

        guard parameters.encodings.count == last.encodings.count,
            zip(parameters.encodings, last.encodings).allSatisfy({ $0.rid == $1.rid })
        else { throw refuse("the number, order and identifiers of the encodings") }
        guard parameters.transactionId == last.transactionId else { throw refuse("transactionId") }
        guard parameters.headerExtensions == last.headerExtensions else { throw refuse("headerExtensions") }
        guard parameters.rtcp == last.rtcp else { throw refuse("rtcp") }
        guard parameters.codecs == last.codecs else { throw refuse("codecs") }
        for encoding in parameters.encodings {
            guard encoding.codec.map({ codec in self.isChoosable(codec, codecs) }) ?? true else {
                throw RTCError(.invalidModification, "the codec of an encoding was not negotiated")
            }
        }
        var encodings = parameters.encodings
        for index in encodings.indices {
            if kind == .audio {
                encodings[index].scaleResolutionDownBy = nil
                encodings[index].maxFramerate = nil
            } else if encodings[index].scaleResolutionDownBy == nil {
                encodings[index].scaleResolutionDownBy = 1
            }
        }
        try self.checkRanges(encodings)
        return encodings
    }

    private static func isChoosable(_ codec: RTCRtpCodec, _ codecs: [RTCRtpCodec]) -> Bool {
        !codec.isAuxiliary && codecs.contains { CodecMatching.areSame($0, codec) }
    }

    private static func checkIdentifiers(_ encodings: [RTCRtpEncodingParameters]) throws(RTCError) {
        let rids = encodings.compactMap(\.rid)
        for rid in rids {
            // RFC 8851 section 4; no longer than what fits a one-byte header extension (RFC 8285 section 4.2).
            let isToken = rid.utf8.allSatisfy {
                $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
            guard !rid.isEmpty, rid.utf8.count <= 16, isToken else {
                throw RTCError(.type, "a rid has 1 to 16 letters, digits, '-' and '_'")
            }
        }
        guard rids.isEmpty || rids.count == encodings.count else {
            throw RTCError(.type, "either all encodings have a rid or none")
        }
        guard encodings.count <= 1 || rids.count == encodings.count else {
            throw RTCError(.type, "several encodings need a rid each")
        }
        guard Set(rids).count == rids.count else { throw RTCError(.type, "two encodings have the same rid") }
    }

    private static func checkRanges(_ encodings: [RTCRtpEncodingParameters]) throws(RTCError) {
        for encoding in encodings {
            if let scale = encoding.scaleResolutionDownBy, !(scale >= 1) {
                throw RTCError(.range, "scaleResolutionDownBy is \(scale), less than 1")
            }
            if let rate = encoding.maxFramerate, !(rate >= 0) {
                throw RTCError(.range, "maxFramerate is \(rate), less than 0")
            }
        }
    }

    /// Where nothing says how large encodings are, each is twice as large as the one before; the last is the largest.
    private static func completeScaling(_ encodings: inout [RTCRtpEncodingParameters]) {
        let isGiven = encodings.contains { $0.scaleResolutionDownBy != nil }
        for index in encodings.indices where encodings[index].scaleResolutionDownBy == nil {
            encodings[index].scaleResolutionDownBy = isGiven ? 1 : Double(1 << (encodings.count - 1 - index))
        }
    }
}
