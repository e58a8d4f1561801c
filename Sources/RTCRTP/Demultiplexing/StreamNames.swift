/// Where the names of a packet's stream lie, as far as the packet carries them.
struct StreamNames {
    var mid: Range<Int>?
    var rid: Range<Int>?
    var repairedRID: Range<Int>?

    var isEmpty: Bool { self.mid == nil && self.rid == nil && self.repairedRID == nil }

    init(_ view: RTPPacketView, in packet: RawSpan, map: HeaderExtensionMap) {
        guard view.extensionProfile != nil else { return }
        let ids = (mid: map[.mid], rid: map[.rid], repairedRID: map[.repairedRID])
        var elements = view.extensions
        while let element = elements.next(in: packet) {
            if element.id == ids.mid {
                self.mid = element.range
            } else if element.id == ids.rid {
                self.rid = element.range
            } else if element.id == ids.repairedRID {
                self.repairedRID = element.range
            }
        }
    }
}

extension RawSpan {
    /// Whether the bytes in `range` are these.
    func equals(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
        guard range.count == bytes.count, range.upperBound <= self.byteCount else { return false }
        for (offset, byte) in zip(range, bytes) where self.networkOrder(at: offset, as: UInt8.self) != byte {
            return false
        }
        return true
    }
}
