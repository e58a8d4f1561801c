internal import NIOCore
internal import RTCRTP

/// Frames that wait for the file to begin.
struct StartQueue {
    struct Entry {
        var frame: EncodedFrame
        var track: Int
        var time: Duration
        var decodeTime: Duration
    }

    private var entries: [Entry] = []
    private var latest: Duration = .zero
    /// The earliest time of all frames, of decoding too; zero without any.
    private(set) var earliest: Duration = .zero
    private(set) var byteCount = 0
    /// The tracks that have a frame here.
    private(set) var tracks: Set<Int> = []

    var isEmpty: Bool { self.entries.isEmpty }

    /// From the earliest frame to the latest.
    var duration: Duration { self.latest - self.earliest }

    mutating func append(_ entry: Entry) {
        let first = min(entry.time, entry.decodeTime)
        self.earliest = self.isEmpty ? first : min(self.earliest, first)
        self.latest = self.isEmpty ? entry.time : max(self.latest, entry.time)
        self.byteCount += entry.frame.payload.readableBytes
        self.tracks.insert(entry.track)
        self.entries.append(entry)
    }

    /// All of them, in the order in which they came.
    mutating func takeAll() -> [Entry] {
        defer { self = StartQueue() }
        return self.entries
    }
}
