public import RTCBase

/// What one person reads to another so that their machines find each other: `7-crossword-guitar`.
///
/// The number is the nameplate, under which both meet on a ``MailboxService``; it is no secret. The two words are: 16 bits, one
/// word of 256 for each byte. That is enough because every guess takes an exchange with a peer that counts them, and the third
/// wrong one is the last: a guesser succeeds once in 21,845 codes.
public struct PairingCode: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is no code.
    public enum Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// It does not consist of a number and two words with dashes between them.
        case malformed
        /// A word that no code has, most likely a slip of the keyboard; nobody was asked, so no try was spent.
        case unknownWord(String)

        public var description: String {
            switch self {
            case .malformed: "a code is a number and two words with dashes between them, like 7-crossword-guitar"
            case .unknownWord(let word): "no code has the word '\(word)' in that place"
            }
        }
    }

    /// The number under which both meet.
    public var nameplate: String
    /// What only the two know.
    public var words: String

    /// A code with two words of one's own choice.
    public init(nameplate: String, words: String) {
        self.nameplate = nameplate
        self.words = words
    }

    /// A new code for a nameplate.
    public init(nameplate: String, random: inout RandomSource) {
        let bits = random.next()
        let first = PairingWords.first[Int(bits & 255)]
        let second = PairingWords.second[Int(bits >> 8 & 255)]
        self.init(nameplate: nameplate, words: "\(first)-\(second)")
    }

    /// Reads a code as people type it: in capitals, with spaces for dashes.
    ///
    /// - Throws: ``Problem``.
    public init(_ text: String) throws(Problem) {
        let parts = text.lowercased().split(whereSeparator: { $0 == "-" || $0.isWhitespace }).map(String.init)
        guard parts.count == 3, MailboxService.isNameplate(parts[0]) else { throw .malformed }
        guard PairingWords.first.contains(parts[1]) else { throw .unknownWord(parts[1]) }
        guard PairingWords.second.contains(parts[2]) else { throw .unknownWord(parts[2]) }
        self.init(nameplate: parts[0], words: "\(parts[1])-\(parts[2])")
    }

    /// Both lists of words, 256 each: a code has one of the first and one of the second.
    public static var wordLists: [[String]] { [PairingWords.first, PairingWords.second] }

    public var description: String { "\(self.nameplate)-\(self.words)" }
}
