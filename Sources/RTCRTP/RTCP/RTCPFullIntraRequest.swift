/// FIR (RFC 5104 section 4.3.1): a receiver wants key frames.
public struct RTCPFullIntraRequest: Sendable, Hashable {
    /// The request for one stream.
    public struct Request: Sendable, Hashable {
        static let size = 8

        /// The stream.
        public var ssrc: SSRC
        /// A number that changes when the receiver wants another key frame, and stays when it repeats itself.
        public var sequenceNumber: UInt8

        /// A request.
        public init(ssrc: SSRC, sequenceNumber: UInt8) {
            self.ssrc = ssrc
            self.sequenceNumber = sequenceNumber
        }
    }

    /// Who wants them.
    public let sender: SSRC
    private let range: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard let sources = RTCPFeedbackSources(header, datagram), sources.content.count >= Request.size,
            sources.content.count % Request.size == 0
        else { return nil }
        self.sender = sources.sender
        self.range = sources.content
    }

    /// How many streams are asked.
    public var count: Int { self.range.count / Request.size }

    /// The request at `index`, from 0; `nil` past the last.
    public func request(at index: Int, in datagram: RawSpan) -> Request? {
        let offset = self.range.lowerBound + index &* Request.size
        guard index >= 0, index < self.count, let ssrc: UInt32 = datagram.networkOrder(at: offset),
            let number: UInt8 = datagram.networkOrder(at: offset + 4)
        else { return nil }
        return Request(ssrc: SSRC(ssrc), sequenceNumber: number)
    }

    /// Calls `body` with each request in the order sent.
    public func forEach(in datagram: RawSpan, _ body: (Request) -> Void) {
        for index in 0..<self.count {
            guard let request = self.request(at: index, in: datagram) else { return }
            body(request)
        }
    }
}
