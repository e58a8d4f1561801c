public import RTCBase

/// A socket that a session asks for to talk to one server. Numbers are never used twice in a session.
public struct ServerFlowID: Sendable, Hashable {
    /// The number, from 1.
    public let number: Int

    init(_ number: Int) { self.number = number }
}

/// Where a flow leads.
public struct ServerFlowTarget: Sendable, Hashable {
    /// The server's address.
    public let address: TransportAddress
    /// How it is reached.
    public let transport: RTCIceServerTransportProtocol
    /// The server's name as its URL has it: what its certificate must be for.
    public let host: String
}

/// A name that a session wants addresses of.
public struct ServerLookup: Sendable, Hashable {
    /// What the answer names.
    public let id: Int
    /// The name.
    public let host: String
    /// The port that the addresses get.
    public let port: UInt16
}

/// One URL of one server of the configuration.
struct ServerEntry: Sendable {
    var url: String
    var uri: ICEServerURI
    var username: String
    var credential: String

    var transport: RTCIceServerTransportProtocol {
        if self.uri.scheme.isSecure { return .tls }
        return self.uri.transport == .tcp ? .tcp : .udp
    }

    /// Whether the URL asks for DTLS over UDP (RFC 7350), which is not to be had here.
    var isOverDTLS: Bool { self.uri.scheme.isSecure && self.uri.transport == .udp }

    /// All URLs of a configuration.
    static func all(of configuration: RTCConfiguration) -> [ServerEntry] {
        configuration.iceServers.flatMap { server in
            server.urls.compactMap { url in
                guard let uri = try? ICEServerURI(parsing: url) else { return nil }
                return ServerEntry(
                    url: url,
                    uri: uri,
                    username: server.username ?? "",
                    credential: server.credential ?? ""
                )
            }
        }
    }
}

/// What became of one server so far.
public struct RTCIceServerReport: Sendable, Hashable {
    /// What became of it.
    public enum Outcome: Sendable, Hashable {
        /// It is being asked.
        case pending
        /// It told our reflexive address, or gave a relayed one.
        case succeeded
        /// It refused or did not answer: a STUN error code, or 701.
        case failed(code: Int)
    }

    /// Its URL.
    public var url: String
    /// What became of it.
    public var outcome: Outcome
    /// Its last answer in words, or what kept it from answering.
    public var text: String
}
