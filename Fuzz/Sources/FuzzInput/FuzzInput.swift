/// Cuts what the fuzzer made into numbers and byte runs. Past the end everything is zero or empty.
public struct FuzzInput {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// The fuzzer's bytes; valid while its call lasts.
    public init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        self.bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
    }

    /// Whether nothing is left.
    public var isEmpty: Bool { self.offset >= self.bytes.count }

    /// The next byte.
    public mutating func byte() -> UInt8 {
        guard self.offset < self.bytes.count else { return 0 }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    /// The next two bytes as a number.
    public mutating func uint16() -> UInt16 { UInt16(self.byte()) << 8 | UInt16(self.byte()) }

    /// A run of bytes that begins with its length; shorter at the end.
    public mutating func run() -> [UInt8] {
        let count = min(Int(self.uint16()), self.bytes.count - self.offset)
        defer { self.offset += count }
        return Array(self.bytes[self.offset..<self.offset + count])
    }

    /// All that is left.
    public mutating func rest() -> [UInt8] {
        defer { self.offset = self.bytes.count }
        return Array(self.bytes[self.offset...])
    }
}

/// Ends the process, as a crash does, when what must hold does not.
public func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
