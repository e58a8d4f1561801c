/// A packet's place among all packets of its transport (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2).
public struct TransportSequenceNumber: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.transportSequenceNumber
    /// The number.
    public var number: UInt16

    /// A number.
    public init(_ number: UInt16) { self.number = number }

    /// Reads a number; `nil` unless there are two bytes.
    public init?(_ bytes: RawSpan) {
        guard let number: UInt16 = bytes.networkOrder(at: 0) else { return nil }
        self.number = number
    }

    public var byteCount: Int { 2 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) { bytes.setNetworkOrder(self.number, at: 0) }
}

/// A packet's place among all packets of its transport, with feedback on request
/// (`http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02`).
public struct TransportSequenceNumberV2: HeaderExtensionValue {
    /// What the sender asks to be told with this packet.
    public struct FeedbackRequest: Sendable, Hashable {
        /// How many packets the feedback should cover, up to and with this one; 1 to 32,767.
        public var packetCount: UInt16
        /// Whether it should say when they arrived.
        public var includesTimestamps: Bool

        /// A request; a count of 0 would be none, and is 1.
        public init(packetCount: UInt16, includesTimestamps: Bool) {
            self.packetCount = min(max(packetCount, 1), 0x7FFF)
            self.includesTimestamps = includesTimestamps
        }
    }

    public static let kind = HeaderExtensionKind.transportSequenceNumberV2
    /// The number.
    public var number: UInt16
    /// The feedback asked for; `nil` if none is.
    public var feedbackRequest: FeedbackRequest?

    /// A number, with or without a request.
    public init(_ number: UInt16, feedbackRequest: FeedbackRequest? = nil) {
        self.number = number
        self.feedbackRequest = feedbackRequest
    }

    /// Reads a number, and a request if there are four bytes; `nil` for fewer than two.
    public init?(_ bytes: RawSpan) {
        guard let number: UInt16 = bytes.networkOrder(at: 0) else { return nil }
        self.number = number
        guard let request: UInt16 = bytes.networkOrder(at: 2), request & 0x7FFF != 0 else { return }
        self.feedbackRequest = FeedbackRequest(
            packetCount: request & 0x7FFF,
            includesTimestamps: request & 0x8000 != 0
        )
    }

    public var byteCount: Int { self.feedbackRequest == nil ? 2 : 4 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.setNetworkOrder(self.number, at: 0)
        guard let request = self.feedbackRequest else { return }
        bytes.setNetworkOrder(request.packetCount & 0x7FFF | (request.includesTimestamps ? 0x8000 : 0), at: 2)
    }
}
