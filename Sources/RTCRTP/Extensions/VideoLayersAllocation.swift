/// Which layers a video sender sends, with their bitrates, sizes and frame rates
/// (`http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00`).
public struct VideoLayersAllocation: Sendable, Hashable {
    /// One active spatial layer of one stream.
    public struct SpatialLayer: Sendable, Hashable {
        /// Which of the sender's streams, 0 to 3.
        public var streamIndex: Int
        /// Which spatial layer of it, 0 to 3.
        public var spatialID: Int
        /// The bitrate of each temporal layer in kbit/s, those below it included; 1 to 4 of them.
        public var bitrates: [UInt32]
        /// The size and rate of its pictures; `nil` if not told.
        public var resolution: Resolution?

        /// A layer.
        public init(streamIndex: Int, spatialID: Int, bitrates: [UInt32], resolution: Resolution? = nil) {
            self.streamIndex = streamIndex
            self.spatialID = spatialID
            self.bitrates = bitrates
            self.resolution = resolution
        }
    }

    /// How large pictures are and how many of them come.
    public struct Resolution: Sendable, Hashable {
        /// The width in pixels, 1 to 65,536.
        public var width: Int
        /// The height in pixels, 1 to 65,536.
        public var height: Int
        /// The most pictures a second.
        public var maximumFrameRate: UInt8

        /// A size and a rate.
        public init(width: Int, height: Int, maximumFrameRate: UInt8) {
            self.width = width
            self.height = height
            self.maximumFrameRate = maximumFrameRate
        }
    }

    /// Which of the sender's streams carries this, 0 to 3.
    public private(set) var streamIndex: Int
    /// How many streams the sender has, 1 to 4.
    public private(set) var streamCount: Int
    /// The active layers, by stream and then by spatial layer; empty if nothing is sent.
    public private(set) var layers: [SpatialLayer]

    /// What is sent; `nil` if a number is out of range, two layers are the same, or some layers tell their resolution and
    /// others do not.
    ///
    /// - Parameter layers: In any order.
    public init?(streamIndex: Int, streamCount: Int, layers: [SpatialLayer]) {
        guard (1...4).contains(streamCount), (0..<streamCount).contains(streamIndex) else { return nil }
        var seen: UInt16 = 0
        for layer in layers {
            guard (0..<streamCount).contains(layer.streamIndex), (0..<4).contains(layer.spatialID),
                (1...4).contains(layer.bitrates.count),
                (layer.resolution == nil) == (layers[0].resolution == nil),
                layer.resolution.map({ (1...65_536).contains($0.width) && (1...65_536).contains($0.height) }) ?? true
            else { return nil }
            let bit = UInt16(1) << UInt16(layer.streamIndex * 4 + layer.spatialID)
            guard seen & bit == 0 else { return nil }
            seen |= bit
        }
        // "Nothing is sent" is a lone zero, which has no room for streams.
        self.streamIndex = layers.isEmpty ? 0 : streamIndex
        self.streamCount = layers.isEmpty ? 1 : streamCount
        self.layers = layers.sorted { ($0.streamIndex, $0.spatialID) < ($1.streamIndex, $1.spatialID) }
    }

    /// The active spatial layers of a stream, one bit each.
    func spatialMask(of stream: Int) -> UInt8 {
        self.layers.reduce(0) { $1.streamIndex == stream ? $0 | 1 << UInt8($1.spatialID) : $0 }
    }
}
