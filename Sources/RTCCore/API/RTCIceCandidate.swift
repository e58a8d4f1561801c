public import RTCBase
import RTCICE

/// What a candidate is: where its address comes from (RFC 8445 section 4).
public enum RTCIceCandidateType: String, Sendable, Hashable {
    /// An address of the host itself.
    case host
    /// An address that a STUN server saw (server-reflexive).
    case srflx
    /// An address that a peer saw during checks (peer-reflexive).
    case prflx
    /// An address at a TURN server (relayed).
    case relay
}

/// A transport protocol of a candidate.
public enum RTCIceProtocol: String, Sendable, Hashable {
    /// UDP: what this stack sends over.
    case udp
    /// TCP (RFC 6544).
    case tcp
}

/// How a relay is reached (W3C webrtc-pc section 4.8.1.5).
public enum RTCIceServerTransportProtocol: String, Sendable, Hashable {
    /// Over UDP.
    case udp
    /// Over TCP.
    case tcp
    /// Over TLS on TCP.
    case tls
}

/// How a TCP candidate is used (RFC 6544 section 4.5).
public enum RTCIceTcpCandidateType: String, Sendable, Hashable {
    /// Opens the connection.
    case active
    /// Awaits the connection.
    case passive
    /// Both open at once.
    case so
}

/// The members of a candidate that travel between peers (W3C webrtc-pc section 4.8.1, `RTCIceCandidateInit`).
public struct RTCIceCandidateInit: Sendable, Hashable {
    /// The candidate attribute (RFC 8839 section 5.1); the empty text means the end of candidates. Default empty.
    public var candidate: String
    /// The media stream identification tag of its section, `nil` if not given.
    public var sdpMid: String?
    /// The index of its section, from 0, `nil` if not given.
    public var sdpMLineIndex: Int?
    /// The ufrag of its generation, `nil` if not given.
    public var usernameFragment: String?

    /// The members of a candidate.
    public init(
        candidate: String = "",
        sdpMid: String? = nil,
        sdpMLineIndex: Int? = nil,
        usernameFragment: String? = nil
    ) {
        self.candidate = candidate
        self.sdpMid = sdpMid
        self.sdpMLineIndex = sdpMLineIndex
        self.usernameFragment = usernameFragment
    }
}

/// An ICE candidate (W3C webrtc-pc section 4.8.1).
///
/// The attributes are parsed from ``candidate``; all of them are `nil` when it is not of the grammar, for example empty.
public struct RTCIceCandidate: Sendable, Hashable {
    /// The candidate attribute; empty for an end of candidates.
    public let candidate: String
    /// The tag of its section.
    public let sdpMid: String?
    /// The index of its section.
    public let sdpMLineIndex: Int?
    /// The ufrag of its generation.
    public let usernameFragment: String?
    /// How the relay of a relayed candidate is reached; local candidates only.
    public let relayProtocol: RTCIceServerTransportProtocol?
    /// The URL of the server that a candidate came from; local candidates only.
    public let url: String?
    /// What ``candidate`` says, `nil` if it is not of the grammar.
    let parsed: ICECandidate?

    /// A candidate from its members.
    ///
    /// - Parameters:
    ///   - members: What travels between peers.
    ///   - relayProtocol: How its relay is reached, if it has one on this side.
    ///   - url: The server that it came from, if it is one of this side.
    /// - Throws: `RTCError.Code.type` when both section members are missing.
    public init(
        _ members: RTCIceCandidateInit,
        relayProtocol: RTCIceServerTransportProtocol? = nil,
        url: String? = nil
    ) throws(RTCError) {
        guard members.sdpMid != nil || members.sdpMLineIndex != nil else {
            throw RTCError(.type, "a candidate needs sdpMid or sdpMLineIndex to say which section it belongs to")
        }
        self.init(members: members, relayProtocol: relayProtocol, url: url)
    }

    init(members: RTCIceCandidateInit, relayProtocol: RTCIceServerTransportProtocol? = nil, url: String?) {
        let parsed = members.candidate.isEmpty ? nil : ICECandidate(parsing: members.candidate)
        self.init(members: members, parsed: parsed, relayProtocol: relayProtocol, url: url)
    }

    /// A candidate whose text was made from `parsed`, or parsed to it.
    init(
        members: RTCIceCandidateInit,
        parsed: ICECandidate?,
        relayProtocol: RTCIceServerTransportProtocol? = nil,
        url: String?
    ) {
        self.candidate = members.candidate
        self.sdpMid = members.sdpMid
        self.sdpMLineIndex = members.sdpMLineIndex
        self.url = url
        self.parsed = parsed
        self.usernameFragment = members.usernameFragment
        self.relayProtocol = relayProtocol
    }

    /// The foundation.
    public var foundation: String? { self.parsed?.foundation }
    /// `rtp` for component 1, `rtcp` for component 2.
    public var component: String? { self.parsed.map { $0.component == 2 ? "rtcp" : "rtp" } }
    /// The priority.
    public var priority: UInt32? { self.parsed?.priority }
    /// The IP address or the `.local` name.
    public var address: String? {
        switch self.parsed?.address {
        case .ip(let address): return address.ip
        case .hostname(let name, port: _): return name
        case nil: return nil
        }
    }
    /// The protocol.
    public var `protocol`: RTCIceProtocol? { self.parsed.map { $0.transport == .tcp ? .tcp : .udp } }
    /// The port.
    public var port: UInt16? {
        switch self.parsed?.address {
        case .ip(let address): return address.port
        case .hostname(_, let port): return port
        case nil: return nil
        }
    }
    /// The type.
    public var type: RTCIceCandidateType? { self.parsed.map { RTCIceCandidateType($0.type) } }
    /// How a TCP candidate is used.
    public var tcpType: RTCIceTcpCandidateType? {
        self.parsed?.tcpType.flatMap { RTCIceTcpCandidateType(rawValue: $0.rawValue) }
    }
    /// The related address of a candidate that is not of type host.
    public var relatedAddress: String? { self.parsed?.relatedAddress?.ip ?? self.extensionValue("raddr") }
    /// The related port of a candidate that is not of type host.
    public var relatedPort: UInt16? {
        self.parsed?.relatedAddress?.port ?? self.extensionValue("rport").flatMap { UInt16($0) }
    }

    /// The text of an attribute that ICE has no use for: a related address may be a name (RFC 8839 section 5.1).
    private func extensionValue(_ name: String) -> String? {
        guard self.parsed != nil else { return nil }
        let fields = self.candidate.split(separator: " ")
        guard let index = fields.dropFirst(8).firstIndex(where: { $0 == name }), index + 1 < fields.count else {
            return nil
        }
        return String(fields[index + 1])
    }

    /// The members that travel to the peer.
    public func toInit() -> RTCIceCandidateInit {
        RTCIceCandidateInit(
            candidate: self.candidate,
            sdpMid: self.sdpMid,
            sdpMLineIndex: self.sdpMLineIndex,
            usernameFragment: self.usernameFragment
        )
    }
}

extension RTCIceCandidate {
    /// Whether all members are equal.
    public static func == (lhs: RTCIceCandidate, rhs: RTCIceCandidate) -> Bool {
        lhs.toInit() == rhs.toInit() && lhs.relayProtocol == rhs.relayProtocol && lhs.url == rhs.url
    }

    /// Hashes the members; what was parsed of them follows from them.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.toInit())
        hasher.combine(self.relayProtocol)
        hasher.combine(self.url)
    }
}

extension RTCIceCandidateType {
    init(_ type: ICECandidate.Kind) {
        switch type {
        case .host: self = .host
        case .serverReflexive: self = .srflx
        case .peerReflexive: self = .prflx
        case .relayed: self = .relay
        }
    }
}

/// The two candidates of a connection's path (W3C webrtc-pc section 5.6.3).
public struct RTCIceCandidatePair: Sendable, Hashable {
    /// Ours.
    public let local: RTCIceCandidate
    /// The peer's.
    public let remote: RTCIceCandidate
}
