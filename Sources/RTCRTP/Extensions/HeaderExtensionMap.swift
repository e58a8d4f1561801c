/// Which id stands for which header extension: what an offer and an answer agreed on (RFC 8285 section 5).
///
/// A flat value of 16 bytes; both look-ups cost a few instructions.
public struct HeaderExtensionMap: Sendable, Hashable {
    // The id of each kind, by the kind's number; 0 where none was agreed.
    private var ids = SIMD16<UInt8>()

    /// A map in which nothing is agreed.
    public init() {}

    /// A map of these ids; of two kinds with one id the later one has it.
    public init(_ ids: KeyValuePairs<HeaderExtensionKind, UInt8>) {
        for (kind, id) in ids { self[kind] = id }
    }

    /// The id of an extension, 1 to 255; `nil` if none is agreed.
    ///
    /// Setting takes the id away from the kind that had it. 0 counts as `nil`.
    public subscript(kind: HeaderExtensionKind) -> UInt8? {
        get {
            let id = self.ids[Int(kind.rawValue)]
            return id == 0 ? nil : id
        }
        set {
            let id = newValue ?? 0
            if id != 0, let owner = self.kind(of: id) { self.ids[Int(owner.rawValue)] = 0 }
            self.ids[Int(kind.rawValue)] = id
        }
    }

    /// The extension that an id stands for; `nil` if none is agreed.
    public func kind(of id: UInt8) -> HeaderExtensionKind? {
        guard id != 0 else { return nil }
        for lane in 0..<16 where self.ids[lane] == id { return HeaderExtensionKind(rawValue: UInt8(lane)) }
        return nil
    }

    /// Whether nothing is agreed.
    public var isEmpty: Bool { self.ids == SIMD16<UInt8>() }

    /// Whether an id is agreed that only the two-byte form can carry.
    public var needsTwoByteForm: Bool { self.ids.max() > HeaderExtensionForm.oneByte.maximumID }
}
