internal import NIOCore

/// All channels of a transport, by handle and by stream.
struct ChannelTable {
    private struct Slot {
        var generation: UInt32
        var channel: Channel?
    }

    /// What the handles of new slots begin with; higher than any of a table that this one follows.
    private let firstGeneration: UInt32
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var byStream: [UInt16: Channel] = [:]
    private var retired: Set<UInt16> = []
    /// Messages come in runs of one channel: asking for the same stream again skips the dictionary.
    private var last: Channel?
    private var searchStart: [UInt16] = [0, 1]

    private(set) var count = 0

    init() { self.firstGeneration = 0 }

    /// An empty table none of whose handles was one of `predecessor`.
    init(after predecessor: ChannelTable) {
        let last = predecessor.slots.map(\.generation).max() ?? predecessor.firstGeneration
        self.firstGeneration = last &+ 1
    }

    subscript(handle: DataChannelHandle) -> Channel? {
        let index = Int(handle.index)
        guard index < self.slots.count, self.slots[index].generation == handle.generation else { return nil }
        return self.slots[index].channel
    }

    mutating func channel(on stream: UInt16) -> Channel? {
        if let last = self.last, last.stream == stream { return last }
        self.last = self.byStream[stream]
        return self.last
    }

    /// Whether a channel may get this stream number.
    func isFree(_ stream: UInt16) -> Bool {
        self.byStream[stream] == nil && !self.retired.contains(stream)
    }

    /// The lowest free stream number with the parity of `first` (0 or 1), below `limit`.
    mutating func freeStream(first: UInt16, limit: Int) -> UInt16? {
        var candidate = Int(self.searchStart[Int(first & 1)])
        while candidate < min(limit, Int(StreamID.maximum.rawValue) + 1) {
            if self.isFree(UInt16(candidate)) {
                self.searchStart[Int(first & 1)] = UInt16(candidate)
                return UInt16(candidate)
            }
            candidate += 2
        }
        return nil
    }

    /// The highest stream number in use.
    var highestStream: UInt16? { self.byStream.keys.max() }

    mutating func insert(
        _ parameters: DataChannelParameters,
        stream: UInt16?,
        isIncoming: Bool
    ) -> Channel {
        let index: UInt32
        if let free = self.freeSlots.popLast() {
            index = free
        } else {
            index = UInt32(self.slots.count)
            self.slots.append(Slot(generation: self.firstGeneration, channel: nil))
        }
        let handle = DataChannelHandle(index: index, generation: self.slots[Int(index)].generation)
        let channel = Channel(handle: handle, parameters: parameters, stream: stream, isIncoming: isIncoming)
        self.slots[Int(index)].channel = channel
        self.count += 1
        if let stream { self.byStream[stream] = channel }
        return channel
    }

    mutating func assign(_ stream: UInt16, to channel: Channel) {
        channel.stream = stream
        self.byStream[stream] = channel
        self.last = nil
    }

    mutating func remove(_ channel: Channel) {
        let index = Int(channel.handle.index)
        guard self.slots[index].channel === channel else { return }
        self.slots[index].channel = nil
        self.slots[index].generation &+= 1
        self.freeSlots.append(channel.handle.index)
        self.count -= 1
        self.last = nil
        guard let stream = channel.stream else { return }
        self.byStream[stream] = nil
        if channel.mayReuseStream {
            let parity = Int(stream & 1)
            self.searchStart[parity] = min(self.searchStart[parity], stream)
        } else {
            self.retired.insert(stream)
        }
    }

    /// Keeps a stream number without a channel from being used: this side closed its half, the peer did not yet.
    mutating func retire(_ stream: UInt16) {
        self.retired.insert(stream)
    }

    /// Lets a stream number be used again: the peer has closed its half after all.
    ///
    /// - Returns: whether the number was out of use.
    @discardableResult
    mutating func reinstate(_ stream: UInt16) -> Bool {
        guard self.retired.remove(stream) != nil else { return false }
        let parity = Int(stream & 1)
        self.searchStart[parity] = min(self.searchStart[parity], stream)
        return true
    }

    /// All channels, in the order of their slots.
    var all: [Channel] { self.slots.compactMap(\.channel) }
}
