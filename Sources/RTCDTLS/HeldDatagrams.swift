/// Datagrams that came too early, oldest first, within bounds.
struct HeldDatagrams {
    static let maximumCount = 16
    static let maximumBytes = 32_768

    private(set) var datagrams: [[UInt8]] = []
    private var bytes = 0

    var isEmpty: Bool { self.datagrams.isEmpty }

    /// Keeps a copy; false when there is no room.
    mutating func append(_ datagram: UnsafeRawBufferPointer) -> Bool {
        guard self.datagrams.count < Self.maximumCount, datagram.count <= Self.maximumBytes - self.bytes else {
            return false
        }
        self.datagrams.append(Array(datagram))
        self.bytes += datagram.count
        return true
    }

    mutating func takeAll() -> [[UInt8]] {
        defer { self = HeldDatagrams() }
        return self.datagrams
    }
}
