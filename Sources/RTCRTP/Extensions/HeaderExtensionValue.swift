/// The value of a header extension that has a type here.
public protocol HeaderExtensionValue: Sendable, Hashable {
    /// Which extension this is the value of.
    static var kind: HeaderExtensionKind { get }

    /// Reads the bytes of an element; `nil` if they are malformed.
    init?(_ bytes: RawSpan)

    /// How many bytes ``write(into:)`` writes, 0 to 255.
    var byteCount: Int { get }

    /// Writes the value into the first ``byteCount`` bytes of `bytes`, which has at least as many.
    func write(into bytes: UnsafeMutableRawBufferPointer)
}
