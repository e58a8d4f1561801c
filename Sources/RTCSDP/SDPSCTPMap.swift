/// An `a=sctpmap` attribute, as descriptions before RFC 8841 named an SCTP association:
/// `sctpmap:5000 webrtc-datachannel 1024`.
public struct SDPSCTPMap: Sendable, Hashable {
    /// The SCTP port, which is also the format of the `m=` line.
    public var port: UInt16
    /// What uses the association: `webrtc-datachannel`.
    public var application: String
    /// How many streams, `nil` where nothing is written.
    public var streams: UInt16?

    /// A map from its parts.
    public init(port: UInt16, application: String = "webrtc-datachannel", streams: UInt16? = nil) {
        self.port = port
        self.application = application
        self.streams = streams
    }

    /// Parses what follows `a=sctpmap:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard (2...3).contains(fields.count), let port = Grammar.decimal(fields[0], as: UInt16.self) else {
            throw SDPError("a sctpmap is a port, an application and a number of streams, not \(Grammar.quoted(text))")
        }
        self.init(port: port, application: String(fields[1]))
        if fields.count == 3 {
            guard let streams = Grammar.decimal(fields[2], as: UInt16.self) else {
                throw SDPError("the number of streams \(Grammar.quoted(fields[2])) is not 0 to 65535")
            }
            self.streams = streams
        }
    }
}

extension SDPSCTPMap: AttributeValue {
    /// `5000 webrtc-datachannel 1024`.
    public var description: String {
        let head = "\(self.port) \(self.application)"
        return self.streams.map { "\(head) \($0)" } ?? head
    }
}
