/// An `a=msid` attribute (RFC 8830 section 2): a stream and a track.
public struct SDPMediaStreamID: Sendable, Hashable {
    /// The stream's identifier; `-` stands for "in no stream".
    public var stream: String
    /// The track's identifier, `nil` where nothing is written.
    public var track: String?

    /// An identifier from its parts.
    public init(stream: String, track: String? = nil) {
        self.stream = stream
        self.track = track
    }

    /// Parses what follows `a=msid:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard (1...2).contains(fields.count) else {
            throw SDPError("an msid is a stream and a track, not \(Grammar.quoted(text))")
        }
        self.init(stream: String(fields[0]), track: fields.count > 1 ? String(fields[1]) : nil)
    }
}

extension SDPMediaStreamID: AttributeValue {
    /// `stream track`.
    public var description: String { self.track.map { "\(self.stream) \($0)" } ?? self.stream }
}
