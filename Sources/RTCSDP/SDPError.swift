/// Why a text is not the session description, fragment or attribute it should be.
public struct SDPError: Error, Sendable, Hashable {
    /// The line at fault, from 1. An attribute that is parsed on its own is line 1.
    public var line: Int
    /// What is wrong with that line, in words.
    public var reason: String

    /// An error at a line, counted from 1.
    public init(line: Int, reason: String) {
        self.line = line
        self.reason = reason
    }

    init(_ reason: String) {
        self.init(line: 1, reason: reason)
    }

    func atLine(_ line: Int) -> SDPError {
        SDPError(line: line, reason: self.reason)
    }
}

extension SDPError: CustomStringConvertible {
    /// `SDP line 7: …`.
    public var description: String { "SDP line \(self.line): \(self.reason)" }
}
