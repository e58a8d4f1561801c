/// A list of SSRCs in a datagram.
public struct RTCPSSRCList: Sendable, Hashable {
    let range: Range<Int>

    /// How many there are.
    public var count: Int { self.range.count / 4 }

    /// The SSRC at `index`, from 0; `nil` past the last.
    public func ssrc(at index: Int, in datagram: RawSpan) -> SSRC? {
        guard index >= 0, index < self.count,
            let number: UInt32 = datagram.networkOrder(at: self.range.lowerBound + 4 * index)
        else { return nil }
        return SSRC(number)
    }

    /// Calls `body` with each SSRC in the order sent.
    public func forEach(in datagram: RawSpan, _ body: (SSRC) -> Void) {
        for index in 0..<self.count {
            guard let ssrc = self.ssrc(at: index, in: datagram) else { return }
            body(ssrc)
        }
    }

    /// Whether `ssrc` is one of them.
    public func contains(_ ssrc: SSRC, in datagram: RawSpan) -> Bool {
        for index in 0..<self.count where self.ssrc(at: index, in: datagram) == ssrc { return true }
        return false
    }
}
