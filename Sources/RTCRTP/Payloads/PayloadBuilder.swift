/// Puts together the pieces of one payload after the other, in storage that is used again.
struct PayloadBuilder: Sendable {
    private var pieces: [RTPPayload.Piece] = []
    private(set) var byteCount = 0

    var isEmpty: Bool { self.byteCount == 0 }

    mutating func append(_ byte: UInt8) {
        if self.pieces.last.map({ $0.prefix.isFull || !$0.range.isEmpty }) ?? true {
            self.pieces.append(RTPPayload.Piece())
        }
        self.pieces[self.pieces.count - 1].prefix.append(byte)
        self.byteCount += 1
    }

    mutating func append(uint16 word: UInt16) {
        self.append(UInt8(word >> 8))
        self.append(UInt8(word & 0xFF))
    }

    mutating func append(bytes: some Sequence<UInt8>) {
        for byte in bytes { self.append(byte) }
    }

    /// Appends `value` as AV1's variable-length number.
    mutating func append(leb128 value: Int) {
        var rest = value
        while rest > 0x7F {
            self.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        self.append(UInt8(rest))
    }

    /// Appends bytes of the frame.
    mutating func append(frame range: Range<Int>) {
        guard !range.isEmpty else { return }
        self.byteCount += range.count
        guard let last = self.pieces.last, last.range.isEmpty else {
            self.pieces.append(RTPPayload.Piece(range: range))
            return
        }
        self.pieces[self.pieces.count - 1].range = range
    }

    /// Sets bits of the first byte, which is one of the payload's own.
    mutating func setFirstByte(_ byte: UInt8) { self.pieces[0].prefix.set(byte, at: 0) }

    /// Hands the payload out and begins the next.
    mutating func emit(
        marker: Bool,
        beginsFrame: Bool,
        timestampOffset: UInt32 = 0,
        _ emit: (RTPPayload) -> Void
    ) {
        emit(
            RTPPayload(
                pieces: self.pieces,
                byteCount: self.byteCount,
                marker: marker,
                beginsFrame: beginsFrame,
                timestampOffset: timestampOffset
            )
        )
        self.pieces.removeAll(keepingCapacity: true)
        self.byteCount = 0
    }
}
