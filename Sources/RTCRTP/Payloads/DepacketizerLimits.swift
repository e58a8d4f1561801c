/// How much a peer can make a depacketizer hold.
public struct DepacketizerLimits: Sendable, Hashable {
    /// The largest frame in bytes. Default 4 MiB.
    public var frameSize: Int
    /// The most packets of one frame. Default 8,192.
    public var packets: Int

    /// Limits.
    public init(frameSize: Int = 4 << 20, packets: Int = 8192) {
        self.frameSize = frameSize
        self.packets = packets
    }

    /// The defaults named at each property.
    public static var defaults: DepacketizerLimits { DepacketizerLimits() }
}
