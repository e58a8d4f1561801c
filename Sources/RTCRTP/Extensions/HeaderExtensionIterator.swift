/// One element of a header extension: its id and where its bytes lie in the packet.
public struct HeaderExtensionElement: Sendable, Hashable {
    /// The id, 1 to 255; what it stands for is agreed in SDP.
    public let id: UInt8
    /// Where the bytes of the value lie.
    public let range: Range<Int>
}

/// Walks over the elements of a header extension without allocating (RFC 8285 section 4).
public struct HeaderExtensionIterator: Sendable {
    private let form: HeaderExtensionForm?
    private var offset: Int
    private let end: Int

    init(form: HeaderExtensionForm?, range: Range<Int>) {
        self.form = form
        self.offset = range.lowerBound
        self.end = range.upperBound
    }

    /// The next element; `nil` at the end, and from the first one on that is broken.
    public mutating func next(in packet: RawSpan) -> HeaderExtensionElement? {
        guard let form else { return nil }
        let end = min(self.end, packet.byteCount)
        while self.offset < end, let first: UInt8 = packet.networkOrder(at: self.offset) {
            if first == 0 {
                self.offset += 1
                continue
            }
            let element = form == .oneByte ? self.oneByte(first) : self.twoByte(first, in: packet)
            guard let element, element.range.upperBound <= end else { break }
            self.offset = element.range.upperBound
            return element
        }
        self.offset = self.end
        return nil
    }

    private func oneByte(_ first: UInt8) -> HeaderExtensionElement? {
        let id = first >> 4
        // 0 with a length, and 15, end the walk (RFC 8285 section 4.2).
        guard id > 0, id < 15 else { return nil }
        let start = self.offset + 1
        return HeaderExtensionElement(id: id, range: start..<start + Int(first & 0xF) + 1)
    }

    private func twoByte(_ id: UInt8, in packet: RawSpan) -> HeaderExtensionElement? {
        guard let length: UInt8 = packet.networkOrder(at: self.offset + 1) else { return nil }
        let start = self.offset + 2
        return HeaderExtensionElement(id: id, range: start..<start + Int(length))
    }
}
