internal import CRTCUsrsctp
internal import NIOCore

/// An association of usrsctp's.
final class UsrsctpAssociation: SCTPAssociation {
    let configuration: SCTPConfiguration
    var now = NIODeadline.uptimeNanoseconds(0)
    /// The library's timers are driven for all associations at once.
    let nextTimeout: NIODeadline? = nil
    let fillsPackets = false
    private let outbox: PacketOutbox
    private let handle: UInt
    private var socket: OpaquePointer?
    private var peer = SCTPPeerImplementation.unknown
    private var remotePort: UInt16 = 0
    private var isUp = false
    private var supportsReset = false
    private var isCorked = false
    private var isBulk = false
    private var marksEndOfMessage = false

    private(set) var outgoingStreams = 0
    private(set) var incomingStreams = 0

    /// The most bytes of one piece of a message that is handed over in pieces.
    private static let pieceSize = 65_536

    init(configuration: SCTPConfiguration, wake: @escaping @Sendable () -> Void) {
        SCTPRuntime.start()
        self.configuration = configuration
        self.outbox = PacketOutbox(wake: wake)
        self.handle = PacketRegistry.shared.register(self.outbox)
    }

    deinit {
        self.abort()
    }

    var canAddStreams: Bool {
        if case .usrsctp = self.peer { return self.supportsReset }
        return false
    }

    private var address: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: self.handle) }

    // MARK: Life

    func start(remotePort: UInt16, outgoingStreams: Int, maximumIncomingStreams: Int) -> Int {
        guard self.socket == nil else { return Int(EALREADY) }
        guard let socket = crtc_usrsctp_socket() else { return Int(ENOMEM) }
        self.socket = socket
        self.remotePort = remotePort
        var failure: Int32 = 0
        self.drive {
            usrsctp_register_address(self.address)
            failure = self.configure(
                socket,
                outgoingStreams: outgoingStreams,
                maximumIncomingStreams: maximumIncomingStreams
            )
            guard failure == 0 else { return }
            usrsctp_set_upcall(socket, usrsctpUpcall, self.address)
            failure = crtc_usrsctp_bind(socket, self.address, self.configuration.localPort)
            guard failure == 0 else { return }
            failure = crtc_usrsctp_connect(socket, self.address, remotePort)
        }
        return Int(failure)
    }

    func shutdown() {
        guard let socket = self.socket else { return }
        self.drive { _ = usrsctp_shutdown(socket, Int32(SHUT_WR)) }
    }

    func abort() {
        if let socket = self.socket {
            self.socket = nil
            self.isUp = false
            self.drive {
                // Closing with a linger time of zero sends the ABORT before it returns.
                var linger = linger(l_onoff: 1, l_linger: 0)
                _ = crtc_usrsctp_set(socket, SOL_SOCKET, SO_LINGER, &linger, MemoryLayout.size(ofValue: linger))
                usrsctp_set_upcall(socket, nil, nil)
                usrsctp_close(socket)
                usrsctp_deregister_address(self.address)
            }
        }
        PacketRegistry.shared.remove(self.handle)
    }

    var hasFailed: Bool {
        guard let socket = self.socket else { return false }
        return usrsctp_get_events(socket) & SCTP_EVENT_ERROR != 0
    }

    func handleTimeout() {}

    /// Has usrsctp ask whether the peer is there: the answer clears its count of errors and what its time-outs have grown to. The time-out
    /// under way it cannot be told to end.
    func pathResumed(isAnother: Bool) {
        guard let socket = self.socket, self.isUp else { return }
        self.drive { _ = crtc_usrsctp_demand_heartbeat(socket, self.address, self.remotePort) }
    }

    // MARK: Packets

    func receive(_ packet: UnsafeRawBufferPointer) {
        guard self.socket != nil, packet.count >= 12 else { return }
        if !self.isUp, let peer = SCTPPeerImplementation.identify(packet) { self.peer = peer }
        self.drive {
            usrsctp_conninput(self.address, packet.baseAddress, packet.count, 0)
        }
    }

    func drainPackets(_ body: (UnsafeRawBufferPointer) -> Void) {
        self.outbox.drain(body)
    }

    func takeReadable() -> Bool { self.outbox.takeReadable() }

    func drive(_ body: () -> Void) {
        UsrsctpLock.shared {
            self.outbox.setOwner(crtc_current_thread())
            body()
            self.outbox.setOwner(0)
        }
    }

    /// Takes note of what the two sides agreed on.
    func cameUp(outgoing: Int, incoming: Int, supportsReset: Bool) {
        self.isUp = true
        self.supportsReset = supportsReset
        self.streamsChanged(outgoing: outgoing, incoming: incoming)
    }

    func streamsChanged(outgoing: Int, incoming: Int) {
        self.outgoingStreams = outgoing
        self.incomingStreams = incoming
    }

    // MARK: Data

    func send(_ message: borrowing SCTPOutgoing) -> SCTPSendResult {
        guard let socket = self.socket else { return .failed }
        let isPiecemeal = message.messageSize > self.configuration.sendBuffer / 4
        self.setMarksEndOfMessage(isPiecemeal, socket)
        let count = isPiecemeal ? min(message.bytes.count, Self.pieceSize) : message.bytes.count
        var flags: UInt16 = message.isOrdered ? 0 : UInt16(SCTP_UNORDERED)
        if isPiecemeal, count == message.bytes.count { flags |= UInt16(SCTP_EOR) }
        let (policy, value) = message.reliability.policy
        let sent = crtc_usrsctp_send(
            socket,
            message.bytes.baseAddress,
            count,
            message.stream,
            message.payloadProtocol,
            flags,
            policy,
            value
        )
        if sent > 0 { return .accepted(sent) }
        switch Int32(truncatingIfNeeded: -sent) {
        case EWOULDBLOCK, EAGAIN, EMSGSIZE, ENOBUFS, ENOMEM: return .wouldBlock
        default: return .failed
        }
    }

    /// Only messages beyond the send buffer go piece by piece: usrsctp fills the buffer's last bytes with splinters.
    private func setMarksEndOfMessage(_ isOn: Bool, _ socket: OpaquePointer) {
        guard isOn != self.marksEndOfMessage else { return }
        self.marksEndOfMessage = isOn
        self.set(socket, SCTP_EXPLICIT_EOR, Int32(isOn ? 1 : 0))
    }

    func setCorked(_ isCorked: Bool) {
        guard let socket = self.socket, isCorked != self.isCorked else { return }
        self.isCorked = isCorked
        self.set(socket, SCTP_NODELAY, Int32(isCorked ? 0 : 1))
    }

    func setBulk(_ isBulk: Bool) {
        guard let socket = self.socket, isBulk != self.isBulk else { return }
        self.isBulk = isBulk
        self.setRetransmissionTimeouts(socket, isBulk: isBulk)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> SCTPReadResult {
        guard let socket = self.socket else { return .nothing }
        var received = crtc_usrsctp_received()
        let count = crtc_usrsctp_receive(socket, buffer.baseAddress, buffer.count, &received)
        guard count > 0 else { return .nothing }
        if received.message_flags & Int32(MSG_NOTIFICATION) != 0 {
            return .notification(self.notification(UnsafeRawBufferPointer(rebasing: buffer[..<count])))
        }
        return .data(
            SCTPIncomingData(
                count: count,
                stream: received.stream,
                payloadProtocol: received.ppid,
                isUnordered: received.flags & UInt16(SCTP_UNORDERED) != 0,
                endsMessage: received.message_flags & crtc_end_of_record != 0
            )
        )
    }

    // MARK: Streams

    func resetOutgoingStreams(_ streams: [UInt16]) -> Bool {
        guard let socket = self.socket else { return false }
        var isAccepted = true
        self.drive {
            var rest = streams[...]
            while !rest.isEmpty, isAccepted {
                let some = Array(rest.prefix(256))
                rest = rest.dropFirst(256)
                isAccepted = crtc_usrsctp_reset_streams(socket, some, UInt16(some.count)) == 0
            }
        }
        return isAccepted
    }

    func addOutgoingStreams(_ count: Int) -> Bool {
        guard let socket = self.socket, self.canAddStreams else { return false }
        var request = sctp_add_streams()
        request.sas_outstrms = UInt16(clamping: count)
        var failure: Int32 = 0
        self.drive {
            failure = crtc_usrsctp_set(
                socket,
                Int32(IPPROTO_SCTP),
                SCTP_ADD_STREAMS,
                &request,
                MemoryLayout.size(ofValue: request)
            )
        }
        return failure == 0
    }

    var status: SCTPAssociationStatus? {
        guard let socket = self.socket else { return nil }
        var status = sctp_status()
        guard crtc_usrsctp_get(socket, SCTP_STATUS, &status, MemoryLayout.size(ofValue: status)) == 0 else {
            return nil
        }
        return SCTPAssociationStatus(
            congestionWindow: Int(status.sstat_primary.spinfo_cwnd),
            peerReceiveWindow: Int(status.sstat_rwnd),
            smoothedRoundTripTime: .milliseconds(Int64(status.sstat_primary.spinfo_srtt)),
            retransmissionTimeout: .milliseconds(Int64(status.sstat_primary.spinfo_rto)),
            unacknowledgedChunks: Int(status.sstat_unackdata),
            pendingMessages: Int(status.sstat_penddata),
            pendingBytes: nil
        )
    }
}
