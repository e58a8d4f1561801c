public import RTCBase

/// How a client reaches the server (RFC 8656 section 3.1).
public enum TURNTransport: UInt8, Sendable, Hashable, CaseIterable {
    /// UDP.
    case udp
    /// TCP.
    case tcp
    /// TLS over TCP.
    case tls

    /// Whether messages come in a byte stream, in order and without loss.
    public var isStream: Bool { self != .udp }
}

/// What tells a client: both addresses and the transport (RFC 8656 section 3.2).
public struct TURNFiveTuple: Sendable, Hashable {
    /// The client's address, as the server sees it.
    public var client: TransportAddress
    /// The server's address that the client sends to.
    public var server: TransportAddress
    /// The transport.
    public var transport: TURNTransport

    /// A client at an address of the server's.
    public init(client: TransportAddress, server: TransportAddress, transport: TURNTransport) {
        self.client = client
        self.server = server
        self.transport = transport
    }

    /// Mixes what differs between clients into a hash.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.client)
        hasher.combine(UInt32(self.server.port) << 8 | UInt32(self.transport.rawValue))
    }
}
