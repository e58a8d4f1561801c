import WebRTC

/// Says when the frames of one track were captured, on the sender's clock, and holds them until that is known.
struct TrackTimeline {
    private let clockRate: Double
    private var held: [RTCEncodedFrame] = []
    private var isKnown = false
    /// A frame whose time is known, for those of which no report tells.
    private var anchor: (timestamp: UInt32, nanoseconds: Int64)?
    /// So many frames wait for a sender's report; after that the time of arrival must do.
    private static let longestWait = 300

    init(clockRate: UInt32) { self.clockRate = Double(clockRate) }

    /// Takes a frame, and gives those whose time is known now, in order, in nanoseconds since 1970.
    mutating func add(_ frame: RTCEncodedFrame, wallClock: Int64) -> [(frame: RTCEncodedFrame, nanoseconds: Int64)] {
        if let time = frame.captureTime {
            self.anchor = (frame.timestamp, time.unixNanoseconds)
        } else if self.anchor == nil, self.held.count >= Self.longestWait {
            self.anchor = (frame.timestamp, wallClock)
        }
        self.held.append(frame)
        guard let anchor = self.anchor else { return [] }
        defer { self.held.removeAll(keepingCapacity: true) }
        return self.held.map { frame in
            let ticks = Int32(bitPattern: frame.timestamp &- anchor.timestamp)
            return (frame, anchor.nanoseconds + Int64(Double(ticks) / self.clockRate * 1e9))
        }
    }
}
