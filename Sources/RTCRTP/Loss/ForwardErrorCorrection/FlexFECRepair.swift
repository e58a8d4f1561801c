import NIOCore

/// A repair packet that waits until it can help.
struct FlexFECRepair: Sendable {
    private(set) var recovery = FlexFECRecovery()
    /// What the masks count from.
    private(set) var base: Int64 = 0
    /// The protected packets.
    private(set) var mask = FlexFECMask()
    /// Those of them that are not there. Empty once the repair is done with.
    private(set) var missing = FlexFECMask()
    /// The sum of the protected bodies.
    private(set) var body = ByteBuffer()

    /// Whether it still may help.
    var isWaiting: Bool { !self.missing.isEmpty }
    /// The oldest protected packet.
    var oldest: Int64 { self.base + Int64(self.mask.first ?? 0) }
    /// The newest protected packet.
    var newest: Int64 { self.base + Int64(self.mask.last ?? 0) }

    /// Begins to wait for `missing`. The memory is used again.
    mutating func assign(_ header: FlexFECHeader, base: Int64, missing: FlexFECMask, body: RawSpan) {
        self.recovery = header.recovery
        self.base = base
        self.mask = header.mask
        self.missing = missing
        self.body.clear()
        self.body.writeBytes(body)
    }

    /// Notes that a packet is there.
    mutating func note(_ sequence: Int64) { self.missing.remove(Int(clamping: sequence - self.base)) }

    /// Gives up.
    mutating func retire() { self.missing = FlexFECMask() }

    /// Whether the other protects the same packets, as a copy does.
    func protectsSame(as header: FlexFECHeader, base: Int64) -> Bool {
        self.isWaiting && self.base == base && self.mask == header.mask
    }
}
