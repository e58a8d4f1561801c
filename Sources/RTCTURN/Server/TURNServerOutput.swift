public import NIOCore
public import RTCBase

/// What a ``TURNServerCore`` wants done.
public enum TURNServerOutput: Sendable {
    /// Send a message to a client: over its connection, or from `origin` if the transport is UDP.
    case send(ByteBuffer, to: TURNFiveTuple, from: TransportAddress)
    /// Find out whose key it is, and answer with ``TURNServerCore/authenticated(_:_:now:)``.
    case authenticate(TURNAuthenticationRequest)
    /// Stop finding out: the question's time is over, and its client has been refused.
    case cancelAuthentication(UInt64)
    /// Bind a relay, and answer with ``TURNServerCore/relayOpened(_:at:now:)`` or ``TURNServerCore/relayFailed(_:_:now:)``.
    case openRelay(TURNRelayRequest)
    /// Close a relay and forget it.
    case closeRelay(TURNRelayID)
    /// Forget a reserved port that nobody asked for in time.
    case releaseReservation(UInt64)
    /// Connect to a peer from a relay's address, and answer with ``TURNServerCore/peerConnected(_:now:)`` or
    /// ``TURNServerCore/peerConnectionFailed(_:now:)`` (RFC 6062).
    case connectPeer(connection: UInt32, relay: TURNRelayID, peer: TransportAddress)
    /// From now on everything from this client's connection goes to the peer's connection, and the other way around.
    case joinConnections(client: TURNFiveTuple, connection: UInt32)
    /// Close a peer's connection and the client's that was joined to it.
    case closePeerConnection(UInt32)
    /// Close a client's connection.
    case closeClient(TURNFiveTuple)
    /// An allocation was made.
    case allocated(TURNAllocationSummary)
    /// An allocation came to its end.
    case deallocated(TURNAllocationSummary, TURNAllocationEnd)
}

/// A question to whoever knows the users.
public struct TURNAuthenticationRequest: Sendable, Hashable {
    /// Names the question in the answer.
    public let id: UInt64
    /// The user name, `nil` if the client sent its hash.
    public let username: String?
    /// USERHASH, 32 bytes, if the client sent it (RFC 8489 section 14.4).
    public let userhash: [UInt8]?
    /// The server's realm, of which the key is to be made.
    public let realm: String
    /// The client.
    public let client: TURNFiveTuple
}

/// What to do with a user.
public enum TURNAuthenticationAnswer: Sendable, Hashable {
    /// The user's password.
    case password(username: String, password: String)
    /// The user's key: the digest of `username:realm:password`. Clients that want another algorithm are refused.
    case key(username: String, bytes: [UInt8], algorithm: STUNPasswordAlgorithm)
    /// There is no such user.
    case unknown
    /// It cannot be found out now; the client gets a 500.
    case unavailable
}

/// A relayed transport address that is to be bound.
public struct TURNRelayRequest: Sendable, Hashable {
    /// Which port is wanted.
    public enum Port: Sendable, Hashable {
        /// Any of the range.
        case any
        /// An even one of the range.
        case even
        /// An even one, and the next reserved under a token.
        case evenReservingNext(token: UInt64)
        /// The one that was reserved under this token, of whatever family it is.
        case reserved(token: UInt64)
    }

    /// Names the relay.
    public let id: TURNRelayID
    /// The address family.
    public let family: TransportAddress.Family
    /// The transport between server and peers.
    public let transport: TURNRelayTransport
    /// Which port is wanted.
    public let port: Port
}

/// Who has an allocation, and what went through it.
public struct TURNAllocationSummary: Sendable, Hashable {
    /// The client.
    public let client: TURNFiveTuple
    /// The user name; empty if the server asks for none.
    public let username: String
    /// The relayed transport addresses.
    public let relayedAddresses: [TransportAddress]
    /// Bytes of application data from the client to peers.
    public let bytesToPeers: UInt64
    /// Bytes of application data from peers to the client.
    public let bytesToClient: UInt64
    /// How long it has existed.
    public let age: TimeAmount
}

/// Why an allocation ended.
public enum TURNAllocationEnd: String, Sendable, Hashable {
    /// The client refreshed it with a lifetime of 0.
    case released
    /// Its lifetime passed without a refresh.
    case expired
    /// The client's connection closed.
    case disconnected
    /// The server ended it.
    case closed
}
