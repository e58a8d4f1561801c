/// Which packets of each stream were received (RFC 3711 section 3.3.2): the newest index, and a window of bits behind it.
///
/// Bits live in a ring: that of index `i` is bit `i` modulo the window's size, so that moving on clears only what it passes.
struct ReplayWindows {
    private(set) var streams: SSRCTable
    private var newest: [UInt64] = []
    private var bits: [UInt64] = []
    private let mask: UInt64
    private let words: Int

    /// Windows of `size` packets each, a power of two from 64.
    init(size: Int, limit: Int) {
        precondition(size >= 64 && size & (size - 1) == 0, "a window is a power of two")
        self.streams = SSRCTable(limit: limit)
        self.mask = UInt64(size - 1)
        self.words = size / 64
    }

    /// The number of a stream, `nil` if nothing of it was accepted yet.
    mutating func stream(_ ssrc: UInt32) -> Int? { self.streams.number(of: ssrc) }

    /// The newest index of a stream.
    func newest(of stream: Int) -> UInt64 { self.newest[stream] }

    /// Why the packet with this index cannot be accepted; `nil` if it can.
    func refusal(of index: UInt64, in stream: Int) -> SRTPUnprotectFailure? {
        let newest = self.newest[stream]
        guard index <= newest else { return nil }
        guard newest - index <= self.mask else { return .tooOld }
        let position = index & self.mask
        let word = self.bits[stream * self.words + Int(position >> 6)]
        return word >> (position & 63) & 1 == 0 ? nil : .replayed
    }

    /// Notes a packet that was authenticated and not refused. A stream is begun with its first packet; only while there is room.
    mutating func accept(_ index: UInt64, from ssrc: UInt32, in stream: Int?) {
        let number: Int
        if let stream {
            number = stream
            if index > self.newest[stream] { self.advance(stream, to: index) }
        } else {
            number = self.streams.insert(ssrc)
            self.newest.append(index)
            self.bits.append(contentsOf: repeatElement(0, count: self.words))
        }
        let position = index & self.mask
        self.bits[number * self.words + Int(position >> 6)] |= 1 << (position & 63)
    }

    /// Makes `index` the newest; what lies between was not received.
    private mutating func advance(_ stream: Int, to index: UInt64) {
        let first = stream * self.words
        let newest = self.newest[stream]
        self.newest[stream] = index
        guard index - newest <= self.mask else {
            for word in first..<first + self.words { self.bits[word] = 0 }
            return
        }
        var next = newest + 1
        while next <= index {
            let position = next & self.mask
            let offset = position & 63
            let count = min(64 - offset, index - next + 1)
            let ones = count == 64 ? UInt64.max : (1 << count - 1) << offset
            self.bits[first + Int(position >> 6)] &= ~ones
            next += count
        }
    }

    /// Makes an index the newest of a stream without anything received.
    mutating func begin(_ ssrc: UInt32, at index: UInt64) {
        self.accept(index, from: ssrc, in: self.stream(ssrc))
        let position = index & self.mask
        guard let stream = self.stream(ssrc) else { return }
        self.bits[stream * self.words + Int(position >> 6)] &= ~(1 << (position & 63))
    }
}
