/// What an RTCP packet says: flat values that do not hold the datagram.
///
/// Lists are read from the same datagram again, which the caller passes along; with another one the answers are wrong,
/// but nothing traps.
public enum RTCPPacketView: Sendable, Hashable {
    /// SR (RFC 3550 section 6.4.1).
    case senderReport(RTCPSenderReport)
    /// RR (RFC 3550 section 6.4.2).
    case receiverReport(RTCPReceiverReport)
    /// SDES (RFC 3550 section 6.5).
    case sourceDescription(RTCPSourceDescription)
    /// BYE (RFC 3550 section 6.6).
    case goodbye(RTCPGoodbye)
    /// APP (RFC 3550 section 6.7).
    case application(RTCPApplicationPacket)
    /// XR (RFC 3611).
    case extendedReport(RTCPExtendedReport)
    /// Generic NACK (RFC 4585 section 6.2.1).
    case genericNACK(RTCPGenericNACK)
    /// TMMBR (RFC 5104 section 4.2.1).
    case maxBitrateRequest(RTCPMaxBitrate)
    /// TMMBN (RFC 5104 section 4.2.2).
    case maxBitrateNotification(RTCPMaxBitrate)
    /// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
    case transportFeedback(RTCPTransportFeedback)
    /// Congestion control feedback (RFC 8888).
    case congestionFeedback(RTCPCongestionFeedback)
    /// PLI (RFC 4585 section 6.3.1).
    case pictureLossIndication(RTCPPictureLossIndication)
    /// FIR (RFC 5104 section 4.3.1).
    case fullIntraRequest(RTCPFullIntraRequest)
    /// REMB (draft-alvestrand-rmcat-remb-03).
    case receiverEstimate(RTCPReceiverEstimate)
    /// Anything else.
    case unknown(RTCPUnknownPacket)

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        let packet: RTCPPacketView?
        switch header.type {
        case .senderReport: packet = RTCPSenderReport(header, datagram).map(Self.senderReport)
        case .receiverReport: packet = RTCPReceiverReport(header, datagram).map(Self.receiverReport)
        case .sourceDescription: packet = RTCPSourceDescription(header, datagram).map(Self.sourceDescription)
        case .goodbye: packet = RTCPGoodbye(header, datagram).map(Self.goodbye)
        case .application: packet = RTCPApplicationPacket(header, datagram).map(Self.application)
        case .extendedReport: packet = RTCPExtendedReport(header, datagram).map(Self.extendedReport)
        case .transportFeedback: packet = Self.transportFeedback(header, datagram)
        case .payloadFeedback: packet = Self.payloadFeedback(header, datagram)
        default: packet = .unknown(RTCPUnknownPacket(header))
        }
        guard let packet else { return nil }
        self = packet
    }

    private static func transportFeedback(_ header: RTCPHeader, _ datagram: RawSpan) -> RTCPPacketView? {
        switch header.count {
        case RTCPFeedbackFormat.genericNACK: RTCPGenericNACK(header, datagram).map(Self.genericNACK)
        case RTCPFeedbackFormat.maxBitrateRequest: RTCPMaxBitrate(header, datagram).map(Self.maxBitrateRequest)
        case RTCPFeedbackFormat.maxBitrateNotification:
            RTCPMaxBitrate(header, datagram).map(Self.maxBitrateNotification)
        case RTCPFeedbackFormat.congestionControl:
            RTCPCongestionFeedback(header, datagram).map(Self.congestionFeedback)
        case RTCPFeedbackFormat.transportWide:
            RTCPTransportFeedback(header, datagram).map(Self.transportFeedback)
        default: .unknown(RTCPUnknownPacket(header))
        }
    }

    private static func payloadFeedback(_ header: RTCPHeader, _ datagram: RawSpan) -> RTCPPacketView? {
        switch header.count {
        case RTCPFeedbackFormat.pictureLoss:
            RTCPPictureLossIndication(header, datagram).map(Self.pictureLossIndication)
        case RTCPFeedbackFormat.fullIntraRequest:
            RTCPFullIntraRequest(header, datagram).map(Self.fullIntraRequest)
        case RTCPFeedbackFormat.applicationLayer where RTCPReceiverEstimate.isPresent(header, datagram):
            RTCPReceiverEstimate(header, datagram).map(Self.receiverEstimate)
        default: .unknown(RTCPUnknownPacket(header))
        }
    }
}
