import RTCBase

/// A member of a room, as long as it is in it: given by the server, and never again.
public struct RoomMemberID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The id as it stands in messages.
    public let text: String

    /// The id of that text; nil unless it has from 1 to 64 letters, digits, `-` and `_`.
    public init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.text = text
    }

    /// A new id.
    init(random: inout RandomSource) { self.text = SecretText.make(bytes: 8, random: &random) }

    public var description: String { self.text }

    public static func < (left: RoomMemberID, right: RoomMemberID) -> Bool { left.text < right.text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch UnicodeScalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": return true
        default: return false
        }
    }
}

/// A member of a room, and what it says of itself.
public struct RoomMember: Sendable, Hashable {
    /// Who it is.
    public var id: RoomMemberID
    /// What it said of itself when it joined, or the server of it: an object.
    public var metadata: JSONValue

    /// A member.
    public init(id: RoomMemberID, metadata: JSONValue = [:]) {
        self.id = id
        self.metadata = metadata
    }

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.stringValue.flatMap(RoomMemberID.init) else { return nil }
        self.init(id: id, metadata: json["metadata"] ?? [:])
    }

    var json: JSONValue { ["id": .string(self.id.text), "metadata": self.metadata] }
}

/// Why a member left.
public enum RoomLeaveReason: String, Sendable, Hashable {
    /// It wanted to.
    case left
    /// It lost its channel and did not come back in time.
    case timeout
    /// It came back, but missed more than is kept; it may join again as a new member.
    case gap
    /// It broke a rule or a limit.
    case violation
    /// The server's owner removed it.
    case removed
}

/// The name of a room: from 1 to 128 bytes, without characters that cannot be seen, and without spaces at its ends.
public struct RoomName: Sendable, Hashable, CustomStringConvertible {
    /// The name. Names that are canonically equivalent in Unicode are the same.
    public let text: String

    /// The name of that text; nil if it is none.
    public init?(_ text: String) {
        guard (1...128).contains(text.utf8.count), text.unicodeScalars.allSatisfy(Self.isVisible),
            text.first?.isWhitespace == false, text.last?.isWhitespace == false
        else { return nil }
        self.text = text
    }

    public var description: String { self.text }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }
}

/// Random text that cannot be guessed.
enum SecretText {
    static func make(bytes: Int, random: inout RandomSource) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: bytes * 2) { text in
            for (index, byte) in random.bytes(count: bytes).enumerated() {
                text[2 * index] = digits[Int(byte >> 4)]
                text[2 * index + 1] = digits[Int(byte & 15)]
            }
            return bytes * 2
        }
    }
}
