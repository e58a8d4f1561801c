/// A relative path as it travels: bytes with `/` between the names, which need not be UTF-8, and are never normalised.
public struct TransferPath: Sendable, Hashable, CustomStringConvertible {
    /// The longest path that is taken, in bytes.
    package static let maximumSize = 4_096
    /// The most names that a path may have.
    package static let maximumDepth = 256
    /// The folder of files that are not complete, which no path may lead into.
    package static let partsFolder = ".rtc-parts"

    /// The bytes.
    public let bytes: [UInt8]

    /// A path that leads nowhere but downwards: no name is empty, `.` or `..`, none contains a zero byte, the first is not that of
    /// the folder for incomplete files; nil for any other.
    public init?(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count <= Self.maximumSize, !bytes.contains(0) else { return nil }
        let names = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard names.count <= Self.maximumDepth else { return nil }
        let dots: [[UInt8]] = [[], [UInt8(ascii: ".")], [UInt8(ascii: "."), UInt8(ascii: ".")]]
        guard !names.contains(where: { dots.contains(Array($0)) }) else { return nil }
        guard !Self.isPartsFolder(names[0]) else { return nil }
        self.bytes = bytes
    }

    /// Whether some file system may take a name for that of the folder for incomplete files: some do not tell small letters from
    /// capitals, nor from letters with the same capital, and some leave out what cannot be seen.
    private static func isPartsFolder(_ name: some Collection<UInt8>) -> Bool {
        var visible = String.UnicodeScalarView()
        for scalar in String(decoding: name, as: UTF8.self).unicodeScalars
        where !scalar.properties.isDefaultIgnorableCodePoint { visible.append(scalar) }
        return String(visible).uppercased() == Self.partsFolder.uppercased()
    }

    /// The names, from the outermost on.
    package var names: [[UInt8]] { self.bytes.split(separator: UInt8(ascii: "/")).map(Array.init) }

    /// The path for people: what is no UTF-8 is replaced, and what would move the cursor or turn the text around is escaped.
    public var description: String { Self.printable(String(decoding: self.bytes, as: UTF8.self)) }

    /// A text of somebody else in a form that does a terminal no harm.
    package static func printable(_ text: String) -> String {
        var safe = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                safe += "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars
            default: safe.append(scalar)
            }
        }
        return String(safe)
    }
}
