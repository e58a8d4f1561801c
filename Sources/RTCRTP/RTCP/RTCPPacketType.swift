/// What an RTCP packet is: its second byte (RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611 section 2).
public struct RTCPPacketType: Sendable, Hashable, RawRepresentable {
    /// The number, 192 to 223 where RTP shares the port.
    public let rawValue: UInt8

    /// A type by its number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// SR: what a sender has sent, and how it hears others.
    public static let senderReport = RTCPPacketType(rawValue: 200)
    /// RR: how a receiver hears others.
    public static let receiverReport = RTCPPacketType(rawValue: 201)
    /// SDES: names of sources.
    public static let sourceDescription = RTCPPacketType(rawValue: 202)
    /// BYE: sources that have left.
    public static let goodbye = RTCPPacketType(rawValue: 203)
    /// APP: whatever an application makes of it.
    public static let application = RTCPPacketType(rawValue: 204)
    /// RTPFB: feedback about transport.
    public static let transportFeedback = RTCPPacketType(rawValue: 205)
    /// PSFB: feedback about payload.
    public static let payloadFeedback = RTCPPacketType(rawValue: 206)
    /// XR: extended reports.
    public static let extendedReport = RTCPPacketType(rawValue: 207)
}

/// What feedback is about: its format number.
enum RTCPFeedbackFormat {
    static let genericNACK: UInt8 = 1
    static let maxBitrateRequest: UInt8 = 3
    static let maxBitrateNotification: UInt8 = 4
    static let congestionControl: UInt8 = 11
    static let transportWide: UInt8 = 15

    static let pictureLoss: UInt8 = 1
    static let fullIntraRequest: UInt8 = 4
    static let applicationLayer: UInt8 = 15
}
