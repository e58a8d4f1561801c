internal import NIOCore
internal import RTCBase
internal import RTCSTUN

/// One allocation (RFC 8656 section 3.2): a client, its relays, and who may use them. Confined to its core.
final class TURNAllocation {
    struct Relay {
        enum State {
            case opening
            case open(TransportAddress)
            case failed(TURNErrorCode)
        }

        let id: TURNRelayID
        /// What was asked for; that of the address once there is one, because who shows a reservation does not say.
        var family: TransportAddress.Family
        var state: State
        var expiresAt: NIODeadline

        var address: TransportAddress? {
            if case .open(let address) = self.state { return address }
            return nil
        }
    }

    let client: TURNFiveTuple
    let user: TURNUser
    let transport: TURNRelayTransport
    /// The Allocate request, whose retransmissions get the same answer.
    let request: TURNRequest
    let lifetime: Int64
    let reservationToken: UInt64?
    let createdAt: NIODeadline
    /// A family that was asked for and that the server does not have.
    let addressError: TURNAddressError?
    /// At most one of each family.
    var relays: [Relay]
    var peers = PeerTable()
    var toPeers: RateBucket
    var toClient: RateBucket
    var bytesToPeers: UInt64 = 0
    var bytesToClient: UInt64 = 0
    /// IDs of peers' TCP connections (RFC 6062).
    var connections: [UInt32] = []
    var isAnswered = false
    var isGone = false

    init(
        request: TURNRequest,
        user: TURNUser,
        transport: TURNRelayTransport,
        lifetime: Int64,
        reservationToken: UInt64?,
        addressError: TURNAddressError?,
        relays: [Relay],
        bucket: RateBucket,
        now: NIODeadline
    ) {
        self.client = request.client
        self.user = user
        self.transport = transport
        self.request = request
        self.lifetime = lifetime
        self.reservationToken = reservationToken
        self.addressError = addressError
        self.relays = relays
        self.toPeers = bucket
        self.toClient = bucket
        self.createdAt = now
    }

    func relay(_ family: TransportAddress.Family) -> Relay? {
        for relay in self.relays where relay.family == family { return relay.address == nil ? nil : relay }
        return nil
    }

    var relayedAddresses: [TransportAddress] { self.relays.compactMap(\.address) }

    func summary(now: NIODeadline) -> TURNAllocationSummary {
        TURNAllocationSummary(
            client: self.client,
            username: self.user.name,
            relayedAddresses: self.relayedAddresses,
            bytesToPeers: self.bytesToPeers,
            bytesToClient: self.bytesToClient,
            age: now - self.createdAt
        )
    }
}

/// Who sent a request, and the key of the answer.
struct TURNUser: Sendable {
    /// Empty where the server asks for no credentials.
    let name: String
    /// Who it is for the quota: the same for all time-limited names of a user, and the IP address of who has no name.
    let account: String
    let keyBytes: [UInt8]
    let algorithm: STUNPasswordAlgorithm
}

/// What is kept of a request for its answer.
struct TURNRequest: Sendable {
    let client: TURNFiveTuple
    let method: STUNMethod
    let transactionID: STUNTransactionID
    let hasFingerprint: Bool
    /// The key of the answer; empty for none.
    var keyBytes: [UInt8] = []
    var usesSHA256 = false
}
