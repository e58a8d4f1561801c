/// A key of a telephone (RFC 4733 section 3.2): 0 to 9, `*`, `#` and A to D.
public enum DTMFTone: UInt8, Sendable, Hashable, CaseIterable {
    case zero = 0
    case one
    case two
    case three
    case four
    case five
    case six
    case seven
    case eight
    case nine
    case star
    case pound
    case a
    case b
    case c
    case d

    private static let characters = Array("0123456789*#ABCD")

    /// The tone of a key; letters may be small. `nil` for other characters.
    public init?(_ character: Character) {
        let capital = character.uppercased()
        guard let index = Self.characters.firstIndex(where: { String($0) == capital }) else { return nil }
        self.init(rawValue: UInt8(index))
    }

    /// The key, letters large.
    public var character: Character { Self.characters[Int(self.rawValue)] }
}
