import NIOCore
import RTCBase
import RTCDTLS
import RTCICE
import RTCSTUN

/// The transport of a session: its generations of ICE and the DTLS connection above them.
struct SessionTransport {
    /// The generation that carries data, or is the first to do so.
    var current: ICEGeneration?
    /// The generation of a restart under way.
    var next: ICEGeneration?
    /// A generation that gathers ahead of its description.
    var pooled: ICEGeneration?
    /// `nil` until the roles are negotiated.
    var dtls: DTLSConnection?
    var isDTLSStarted = false
    var dtlsRole: DTLSRole?
    var dtlsState: RTCDtlsTransportState = .new
    var dtlsInfo: DTLSSessionInfo?
    var remoteFingerprints: [DTLSFingerprint] = []
    /// A peer that has validated us may begin its handshake before we have its answer: its first datagrams wait here.
    private(set) var early: [ByteBuffer] = []
    static let maximumEarlyDatagrams = 16
    var selectedPairChanges = 0
    /// Whether generations came, went or were connected since their states were looked at.
    var wasChanged = false
    var counters = PathCounters()
    /// The path that data took last.
    private var lastPath: ICEPath?
    /// Whether that path has fallen silent.
    private var isSilent = false
    private var hasResumed = false

    /// What became of the path that data takes.
    enum PathChange {
        /// It was silent, and works again.
        case resumed
        /// Another one has taken its place.
        case replaced
    }

    mutating func noteState(_ state: ICEConnectionState) {
        switch state {
        case .disconnected: self.isSilent = true
        case .connected, .completed:
            if self.isSilent { self.hasResumed = true }
            self.isSilent = false
        case .new, .checking, .failed, .closed: break
        }
    }

    /// What became of the path since the last call; `nil` for nothing of consequence.
    mutating func takePathChange() -> PathChange? {
        guard let path = self.path else { return nil }
        defer {
            self.lastPath = path
            self.hasResumed = false
        }
        guard let last = self.lastPath else { return nil }
        if path != last { return .replaced }
        return self.hasResumed ? .resumed : nil
    }

    /// The generation with a ufrag of ours, unless it gathers ahead.
    func generation(_ ufrag: String) -> ICEGeneration? { self.generations.first { $0.ufrag == ufrag } }

    /// Datagrams over all paths.
    struct PathCounters {
        var packetsSent: UInt64 = 0
        var packetsReceived: UInt64 = 0
        var bytesSent: UInt64 = 0
        var bytesReceived: UInt64 = 0
    }

    var generations: [ICEGeneration] { [self.current, self.next].compactMap { $0 } }

    /// All generations, the one that gathers ahead among them.
    var allGenerations: [ICEGeneration] { [self.current, self.next, self.pooled].compactMap { $0 } }

    /// The state of ICE. A restart leaves a working connection connected; it begins anew what does not work (W3C webrtc-pc section 5.6.4).
    var iceState: RTCIceTransportState {
        let present = self.current?.agent.state.rtc ?? .new
        guard let next = self.next, next.remoteUfrag != nil else { return present }
        let coming = next.agent.state.rtc
        let works = present == .connected || present == .completed
        return works && (coming == .new || coming == .checking) ? .connected : coming
    }

    /// The path that data takes.
    var path: ICEPath? { self.current?.agent.selectedPath ?? self.next?.agent.selectedPath }

    func receiveSTUN(_ datagram: RawSpan, from remote: TransportAddress, to base: TransportAddress, now: NIODeadline) {
        self.pooled?.agent.receive(datagram, from: remote, to: base, now: now)
        guard let next = self.next else {
            self.current?.agent.receive(datagram, from: remote, to: base, now: now)
            return
        }
        if let ufrag = STUNUsername.localUfrag(ofBindingRequest: datagram) {
            let generation = ufrag == next.ufrag ? next : self.current
            generation?.agent.receive(datagram, from: remote, to: base, now: now)
        } else {
            // An answer: the agent whose transaction it is takes it, the other drops it.
            self.current?.agent.receive(datagram, from: remote, to: base, now: now)
            next.agent.receive(datagram, from: remote, to: base, now: now)
        }
    }

    func isValidated(remote: TransportAddress, base: TransportAddress) -> Bool {
        if self.current?.agent.isValidated(remote: remote, base: base) == true { return true }
        return self.next?.agent.isValidated(remote: remote, base: base) == true
    }

    mutating func noteReceived(bytes: Int, remote: TransportAddress, base: TransportAddress, now: NIODeadline) {
        self.counters.packetsReceived += 1
        self.counters.bytesReceived += UInt64(bytes)
        self.current?.agent.noteReceived(bytes: bytes, packets: 1, remote: remote, base: base, now: now)
    }

    mutating func noteSent(_ batch: DatagramBatch, path: ICEPath, now: NIODeadline) {
        self.counters.packetsSent += UInt64(batch.count)
        self.counters.bytesSent += UInt64(batch.bytes.readableBytes)
        self.current?.agent.noteSent(
            bytes: batch.bytes.readableBytes,
            packets: batch.count,
            remote: path.remote,
            base: path.base,
            now: now
        )
    }

    /// Keeps a datagram for a handshake that cannot begin yet; `false` if there is no room.
    mutating func holdEarly(_ datagram: RawSpan) -> Bool {
        guard self.early.count < Self.maximumEarlyDatagrams else { return false }
        var copy = ByteBuffer()
        copy.writeBytes(datagram)
        self.early.append(copy)
        return true
    }

    mutating func takeEarly() -> [ByteBuffer] {
        defer { self.early = [] }
        return self.early
    }

    func handleTimeout(now: NIODeadline) {
        self.current?.agent.handleTimeout(now: now)
        self.next?.agent.handleTimeout(now: now)
        self.pooled?.agent.handleTimeout(now: now)
        self.dtls?.handleTimeout(now: now)
    }

    var nextTimeout: NIODeadline? {
        let ice: NIODeadline? = .earliest(self.current?.agent.nextTimeout, self.next?.agent.nextTimeout)
        return .earliest(.earliest(ice, self.pooled?.agent.nextTimeout), self.dtls?.nextTimeout)
    }
}

extension NIODeadline? {
    /// The earlier of two deadlines that may not exist.
    static func earliest(_ one: NIODeadline?, _ other: NIODeadline?) -> NIODeadline? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }
}
