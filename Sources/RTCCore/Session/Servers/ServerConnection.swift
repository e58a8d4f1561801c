import NIOCore
import RTCBase
import RTCSTUN
import RTCTURN

/// A conversation with one server over one flow: a TURN allocation, or a question for the reflexive address over TLS.
final class ServerConnection {
    let id: ServerFlowID
    var entry: ServerEntry
    let target: ServerFlowTarget
    /// When it must have come to a result.
    let deadline: NIODeadline
    let client: Client
    /// Whether gathering waits for it.
    var holdsGathering: Bool
    /// The servers that have sent us on, this one included.
    let visited: Set<TransportAddress>
    /// How often an allocation of this server was lost or put off before.
    let attempt: Int
    /// The relayed addresses.
    var relayed: [TransportAddress] = []
    var localAddress: TransportAddress?
    var isOpen = false
    var decoder = TURNStreamDecoder()
    /// What the client reported while only media was sent.
    var heldEvents: [TURNClient.Event] = []
    /// How many remote candidates have permissions.
    var permittedCount = 0

    enum Client {
        case turn(TURNClient)
        case stun(STUNTransactionID)
    }

    init(
        id: ServerFlowID,
        entry: ServerEntry,
        target: ServerFlowTarget,
        deadline: NIODeadline,
        client: Client,
        holdsGathering: Bool,
        visited: Set<TransportAddress>,
        attempt: Int
    ) {
        self.id = id
        self.entry = entry
        self.target = target
        self.deadline = deadline
        self.client = client
        self.holdsGathering = holdsGathering
        self.visited = visited
        self.attempt = attempt
    }

    var turn: TURNClient? {
        if case .turn(let client) = self.client { return client }
        return nil
    }

    /// Cuts a stream into messages, and hands a datagram on as it is.
    ///
    /// - Returns: `false` if the stream cannot be read further.
    func forEachMessage(in batch: DatagramBatch, _ body: (RawSpan) -> Void) -> Bool {
        guard self.target.transport != .udp else {
            let bytes = batch.bytes.readableBytesSpan
            var offset = 0
            while offset < bytes.byteCount {
                let end = min(offset + batch.segmentSize, bytes.byteCount)
                body(bytes.extracting(offset..<end))
                offset = end
            }
            return true
        }
        self.decoder.append(batch.bytes)
        while true {
            switch self.decoder.next() {
            case .stun(let message), .channelData(let message): body(message.readableBytesSpan)
            case .incomplete: return true
            case .broken: return false
            }
        }
    }

    /// How a relayed candidate ranks among others: by what its way to the relay costs.
    var preference: UInt8 {
        switch self.target.transport {
        case .udp: return 2
        case .tcp: return 1
        case .tls: return 0
        }
    }

    var nextTimeout: NIODeadline? {
        .earliest(self.turn?.nextTimeout, self.relayed.isEmpty ? self.deadline : nil)
    }
}
