/// The sum without carry of several packets: what a repair packet carries, and how a lost packet is found again.
///
/// The memory is used again for each sum.
struct FlexFECParity: Sendable {
    /// The sum of the headers.
    private(set) var recovery = FlexFECRecovery()
    /// How many bytes the longest part has.
    private(set) var bodySize = 0
    // All zero from `bodySize` on.
    private var body: ContiguousArray<UInt8>

    /// An empty sum of packets up to so many bytes.
    init(maximumPacketSize: Int) {
        self.body = ContiguousArray(repeating: 0, count: max(0, maximumPacketSize - RTPHeader.fixedSize))
    }

    /// Begins a new sum.
    mutating func clear() {
        self.recovery = FlexFECRecovery()
        for index in 0..<self.bodySize { self.body[index] = 0 }
        self.bodySize = 0
    }

    /// Adds a packet; `false`, with nothing added, if it is no packet or too long.
    mutating func add(packet: RawSpan) -> Bool {
        guard let recovery = FlexFECRecovery(packet: packet) else { return false }
        return self.add(recovery, body: packet.extracting(droppingFirst: RTPHeader.fixedSize))
    }

    /// Adds the sum of others; `false`, with nothing added, if it is too long.
    mutating func add(_ recovery: FlexFECRecovery, body: RawSpan) -> Bool {
        guard body.byteCount <= self.body.count else { return false }
        self.recovery.add(recovery)
        self.bodySize = max(self.bodySize, body.byteCount)
        self.body.withUnsafeMutableBytes { sum in
            body.withUnsafeBytes { Self.add($0, to: sum) }
        }
        return true
    }

    /// Whether nothing is left beyond the length that the sum of the headers says, as it must be of a single packet.
    var isWithinLength: Bool {
        let length = Int(self.recovery.length)
        guard length <= self.bodySize else { return false }
        return self.body[length..<self.bodySize].allSatisfy { $0 == 0 }
    }

    /// Copies the first bytes of the sum of bodies, as many as fit.
    func copyBody(to destination: UnsafeMutableRawBufferPointer) {
        self.body.withUnsafeBytes { sum in
            let count = min(destination.count, sum.count)
            destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: sum[..<count]))
        }
    }

    private static func add(_ source: UnsafeRawBufferPointer, to sum: UnsafeMutableRawBufferPointer) {
        var offset = 0
        while offset + 8 <= source.count {
            let word = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let old = sum.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            sum.storeBytes(of: word ^ old, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < source.count {
            sum[offset] ^= source[offset]
            offset += 1
        }
    }
}
