/// The name of a payload format as it stands in `a=rtpmap`, compared without regard to case (RFC 8866 section 6.6).
public struct RTPCodecName: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    /// The name in its usual spelling.
    public let rawValue: String

    /// The name of any format.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Opus (RFC 7587).
    public static let opus = RTPCodecName(rawValue: "opus")
    /// G.711 with µ-law (RFC 3551 section 4.5.14).
    public static let pcmu = RTPCodecName(rawValue: "PCMU")
    /// G.711 with A-law (RFC 3551 section 4.5.14).
    public static let pcma = RTPCodecName(rawValue: "PCMA")
    /// G.722 (RFC 3551 section 4.5.2).
    public static let g722 = RTPCodecName(rawValue: "G722")
    /// VP8 (RFC 7741).
    public static let vp8 = RTPCodecName(rawValue: "VP8")
    /// VP9 (RFC 9628).
    public static let vp9 = RTPCodecName(rawValue: "VP9")
    /// H.264 (RFC 6184).
    public static let h264 = RTPCodecName(rawValue: "H264")
    /// H.265 (RFC 7798).
    public static let h265 = RTPCodecName(rawValue: "H265")
    /// AV1 (AOM's RTP payload format for AV1).
    public static let av1 = RTPCodecName(rawValue: "AV1")
    /// Redundant audio (RFC 2198).
    public static let red = RTPCodecName(rawValue: "red")
    /// Telephone events (RFC 4733).
    public static let telephoneEvent = RTPCodecName(rawValue: "telephone-event")
    /// Comfort noise (RFC 3389).
    public static let comfortNoise = RTPCodecName(rawValue: "CN")

    /// The usual spelling.
    public var description: String { self.rawValue }

    /// Equal but for case.
    public static func == (lhs: RTPCodecName, rhs: RTPCodecName) -> Bool {
        lhs.rawValue == rhs.rawValue || lhs.rawValue.lowercased() == rhs.rawValue.lowercased()
    }

    /// Hashes without regard to case.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.rawValue.lowercased()) }
}
