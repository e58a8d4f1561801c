import RTCRTP

/// Which payload type stands for which format in a session.
///
/// Within a bundle a payload type has one meaning (RFC 9143 section 10.1.2), and one that was used keeps its meaning
/// (RFC 3264 section 8.3.2), so the table only grows.
struct PayloadTypes: Sendable {
    private var known: [(codec: RTCRtpCodec, number: UInt8)] = []
    private var used: Set<UInt8> = []

    /// Takes note of what a description uses.
    ///
    /// - Parameter codecs: The capabilities; of other formats only the number is kept, so that a peer cannot fill the memory.
    mutating func learn(_ formats: SectionFormats, _ codecs: [RTCRtpCodec]) {
        for format in formats.formats {
            self.used.insert(format.payloadType)
            guard self.known.count < Self.maximumKnown,
                codecs.contains(where: { CodecMatching.matches($0, format.codec) }),
                self.find(format.codec) == nil
            else { continue }
            self.known.append((format.codec, format.payloadType))
        }
    }

    private static let maximumKnown = 256

    /// The payload type for a format; `nil` when all are taken.
    ///
    /// - Parameter usual: The one to take if it is free.
    mutating func number(for codec: RTCRtpCodec, usual: UInt8?) -> UInt8? {
        if let known = self.find(codec) { return known }
        guard let number = usual.flatMap({ self.used.contains($0) ? nil : $0 }) ?? self.free else { return nil }
        self.known.append((codec, number))
        self.used.insert(number)
        return number
    }

    private func find(_ codec: RTCRtpCodec) -> UInt8? {
        // Retransmission and redundancy are told apart by what they carry.
        let isExact = codec.isNamed("rtx") || codec.isNamed("red")
        return self.known.first { known in
            CodecMatching.matches(known.codec, codec)
                && (!isExact || FormatParameters(known.codec.sdpFmtpLine) == FormatParameters(codec.sdpFmtpLine))
        }?.number
    }

    /// RFC 5761 section 4 leaves 96 to 127, then 35 to 63, so that RTCP is told apart.
    private var free: UInt8? {
        (UInt8(96)...127).first { !self.used.contains($0) } ?? (UInt8(35)...63).first { !self.used.contains($0) }
    }
}

/// Which number stands for which header extension in a session: one meaning within a bundle (RFC 9143 section 13), kept once used
/// (RFC 8285 section 6).
struct HeaderExtensionNumbers: Sendable {
    private var numbers: [String: UInt16] = [:]
    private var used: Set<UInt16> = []

    /// Takes note of a number in use.
    ///
    /// - Parameter isCapability: Whether this side has the extension; of others only the number is kept.
    mutating func learn(_ uri: String, _ number: UInt16, isCapability: Bool) {
        self.used.insert(number)
        if isCapability, self.numbers[uri] == nil { self.numbers[uri] = number }
    }

    /// The number for an extension: one that fits a one-byte header as long as there is one.
    ///
    /// - Parameter kind: What the section carries that it is asked for.
    mutating func number(for uri: String, _ kind: MediaKind) -> UInt16? {
        if let known = self.numbers[uri] { return known }
        let usual = (kind == .audio ? Self.usualForSound : Self.usualForPictures)[uri].flatMap {
            self.used.contains($0) ? nil : $0
        }
        let free = ((UInt16(1)...14).reversed() + Array(UInt16(16)...255)).first { !self.used.contains($0) }
        guard let number = usual ?? free else { return nil }
        self.learn(uri, number, isCapability: true)
        return number
    }

    // What browsers take in a session that begins with such a section. They do not forget the numbers of an offer of theirs that gave
    // way, and refuse others in the section that takes its place.
    private static let usualForSound = Self.table([
        .audioLevel: 1, .absoluteSendTime: 2, .transportSequenceNumber: 3, .mid: 4, .absoluteCaptureTime: 6,
        .mixerAudioLevel: 7,
    ])
    private static let usualForPictures = Self.table([
        .transmissionOffset: 1, .absoluteSendTime: 2, .videoOrientation: 3, .transportSequenceNumber: 4,
        .playoutDelay: 5, .mid: 9, .rid: 10, .repairedRID: 11, .dependencyDescriptor: 12,
    ])

    private static func table(_ numbers: [HeaderExtensionKind: UInt16]) -> [String: UInt16] {
        Dictionary(uniqueKeysWithValues: numbers.map { ($0.key.uri, $0.value) })
    }
}
