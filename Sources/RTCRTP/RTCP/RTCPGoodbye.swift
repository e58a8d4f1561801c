/// BYE (RFC 3550 section 6.6): sources that have left.
public struct RTCPGoodbye: Sendable, Hashable {
    /// The sources, at most 31.
    public let sources: RTCPSSRCList
    private let reasonRange: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        let end = header.body.lowerBound + 4 * Int(header.count)
        guard end <= header.body.upperBound else { return nil }
        self.sources = RTCPSSRCList(range: header.body.lowerBound..<end)
        guard end < header.body.upperBound, let length: UInt8 = datagram.networkOrder(at: end) else {
            self.reasonRange = end..<end
            return
        }
        self.reasonRange = end + 1..<end + 1 + Int(length)
        guard self.reasonRange.upperBound <= header.body.upperBound else { return nil }
    }

    /// Why they left, in words; `nil` if nothing is said.
    public func reason(in datagram: RawSpan) -> String? {
        let part = datagram.extracting(datagram.clamped(self.reasonRange))
        return part.isEmpty ? nil : part.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
