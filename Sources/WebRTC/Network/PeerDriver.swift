import Logging
import NIOCore
import RTCBase
import RTCCore
import RTCICE
import RTCSCTP

/// Drives one session on its event loop: datagrams in and out, timers, commands of the user, events to the user.
final class PeerDriver {
    let eventLoop: any EventLoop
    let session: PeerSession
    let shared: PeerShared
    let network: any PeerNetwork
    let resolver: NameResolver
    let flows: ServerFlows
    let dialer: TCPDialer
    private let logger: Logger
    private var timer: Scheduled<Void>?
    private var timerDeadline = NIODeadline.distantFuture
    private var isPumping = false
    /// Whether a pump is under way or asked for, because something was sent between bursts.
    private var isMarked = false
    /// Packets that are sent together: one connection's state serves them all while it is in the processor's cache.
    private var waiting: [WaitingPacket] = []
    private var isHeld = false
    private static let mostWaitingPackets = 24

    private struct WaitingPacket {
        let packet: RTCReceivedPacket
        let sender: TransceiverID
        let encoding: Int
    }

    /// Whether nothing happened since the last pump but that media was sent.
    private var hasOnlyMedia = true
    private var publishedRevision: UInt64 = 0
    /// Datagrams written since the last flush.
    private var unflushed = 0
    /// So many are sent at once: the peer works on them while others are made. Fewer would cost more calls.
    private static let datagramsPerFlush = 2 * DatagramBatch.maximumCount
    /// Whether a shared socket handed this connection datagrams that it has not acted on yet.
    var isTouched = false
    /// The paths that a shared socket routes to this connection.
    var paths: Set<Path> = []
    /// The ufrags that a shared socket routes to this connection.
    var ufrags: Set<String> = []

    /// A peer's address as one of our sockets sees it.
    struct Path: Hashable, Sendable {
        let remote: TransportAddress
        let base: TransportAddress

        init(remote: TransportAddress, base: TransportAddress) {
            self.remote = remote
            self.base = base
        }

        init(_ connection: TCPConnection) {
            self.init(remote: connection.remote, base: connection.base)
        }
    }

    private(set) var isAttached = true
    /// Where the last datagrams went, as the socket needs it: making that anew for each batch would cost as much as the rest.
    var route: Route?

    struct Route {
        let base: TransportAddress
        let remote: TransportAddress
        let socket: UDPSocket
        let destination: SocketAddress
    }

    private let media: PeerMedia
    private var channels: [DataChannelHandle: RTCDataChannel] = [:]
    var configuration: RTCConfiguration

    init(
        eventLoop: any EventLoop,
        session: PeerSession,
        shared: PeerShared,
        network: any PeerNetwork,
        configuration: RTCConfiguration,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.session = session
        self.shared = shared
        self.media = PeerMedia(shared: shared)
        self.network = network
        self.resolver = NameResolver(eventLoop: eventLoop)
        self.configuration = configuration
        self.logger = logger
        self.flows = ServerFlows(eventLoop: eventLoop, policy: network.addressPolicy)
        self.dialer = TCPDialer(eventLoop: eventLoop)
        self.flows.driver = self
        self.dialer.driver = self
        SCTPTicker.retain()
    }

    deinit {
        if self.isAttached { SCTPTicker.release() }
    }

    // MARK: Datagrams

    func receive(_ datagrams: DatagramBatch, from remote: TransportAddress, to local: TransportAddress) {
        self.hasOnlyMedia = false
        let now = NIODeadline.now()
        let size = datagrams.segmentSize
        let bytes = datagrams.bytes.readableBytesSpan
        var offset = 0
        while offset < bytes.byteCount {
            let end = min(offset + size, bytes.byteCount)
            self.session.receive(bytes.extracting(offset..<end), from: remote, to: local, now: now)
            offset = end
        }
    }

    /// The TCP connection of a path has ended, or could not be made.
    func pathClosed(_ path: Path) {
        guard self.isAttached else { return }
        self.session.pathClosed(remote: path.remote, base: path.base, now: .now())
        self.pump()
    }

    /// Takes what a server sent over a socket of its own.
    func receive(_ batch: DatagramBatch, over flow: ServerFlowID) {
        self.hasOnlyMedia = false
        self.session.receive(batch, over: flow, now: .now())
    }

    /// Does what was put off to the end of a burst.
    func pumpTouched() {
        // Closed while its packets were held: the peer has heard goodbye.
        guard self.isAttached else { return }
        guard self.hasOnlyMedia else { return self.pump() }
        self.isMarked = false
        self.isHeld = false
        let now = NIODeadline.now()
        self.sendWaiting(now: now)
        while let output = self.session.pollMedia(now: now) {
            switch output {
            case .transmit(let batch, let base, let remote): self.write(batch, from: base, to: remote)
            case .transmitFlow(let flow, let batch): self.flows.write(batch, to: flow)
            default: self.perform(output)
            }
        }
        self.flush()
    }

    /// Does all that the session asks for, until it is quiet.
    func pump() {
        guard !self.isPumping else { return }
        self.isPumping = true
        self.hasOnlyMedia = true
        self.isHeld = false
        let now = NIODeadline.now()
        repeat {
            self.sendWaiting(now: now)
            while let output = self.session.poll(now: now) { self.perform(output) }
            self.media.forgetDeparted()
            for event in self.session.takeMedia() { self.media.handle(event) }
            // What was handed on may have been answered at once.
        } while self.needsAnotherPump()
        self.flush()
        self.scheduleTimer()
        self.isPumping = false
    }

    private func needsAnotherPump() -> Bool {
        defer { self.isMarked = false }
        return self.isMarked
    }

    /// Sees to it that what the session has to say is said soon: with the present burst of datagrams, or in the next turn of the loop.
    ///
    /// - Parameter hasOnlyMedia: Whether nothing was done but to send packets at once.
    func needsPump(hasOnlyMedia: Bool = false) {
        if !hasOnlyMedia { self.hasOnlyMedia = false }
        guard !self.isMarked else { return }
        self.isMarked = true
        guard !self.isPumping, !self.network.touch(self) else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.execute { bound.value.pumpIfMarked() }
    }

    private func pumpIfMarked() {
        guard self.isMarked else { return }
        self.pumpTouched()
    }

    private func flush() {
        self.unflushed = 0
        self.flows.flush()
        self.network.flush()
    }

    private func perform(_ output: PeerSession.Output) {
        switch output {
        case .transmit(let batch, let base, let remote):
            self.write(batch, from: base, to: remote)
            self.unflushed += batch.count
            if self.unflushed >= Self.datagramsPerFlush { self.flush() }
        case .transmitSTUN(let bytes, let base, let remote, let transaction):
            if let transaction { self.network.expect(transaction, of: self) }
            self.write(check: bytes, from: base, to: remote)
        case .gatherAddresses(let ufrag):
            self.gather(ufrag: ufrag)
        case .registerUfrag(let ufrag):
            self.network.register(ufrag: ufrag, of: self)
        case .unregisterUfrag(let ufrag):
            self.network.unregister(ufrag: ufrag)
        case .registerPath(let local, let remote):
            self.network.register(path: remote, base: local, of: self)
        case .resolve(let hostname):
            self.resolve(hostname)
        case .resolveServer(let lookup):
            self.resolve(lookup)
        case .openFlow(let flow, let target):
            self.flows.open(flow, target, trust: self.configuration.iceServerTrust)
        case .transmitFlow(let flow, let batch):
            self.flows.write(batch, to: flow)
            self.unflushed += batch.count
            if self.unflushed >= Self.datagramsPerFlush { self.flush() }
        case .closeFlow(let flow):
            self.flows.close(flow)
        case .event(let event):
            self.handle(event)
        }
    }

    private func scheduleTimer() {
        guard let deadline = self.session.nextTimeout else {
            self.timer?.cancel()
            self.timer = nil
            self.timerDeadline = .distantFuture
            return
        }
        guard self.timer == nil || deadline < self.timerDeadline else { return }
        self.timer?.cancel()
        self.timerDeadline = deadline
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.timer = self.eventLoop.scheduleTask(deadline: deadline) { bound.value.timerFired() }
    }

    private func timerFired() {
        self.timer = nil
        self.timerDeadline = .distantFuture
        self.wake()
    }

    /// Does what is due.
    func wake() {
        self.session.handleTimeout(now: .now())
        self.pump()
    }

    /// Shows the session's state before an event tells of it; once for all events of one transition.
    private func publishIfChanged() {
        guard self.publishedRevision != self.session.revision else { return }
        self.publishedRevision = self.session.revision
        self.shared.publish(self.session, self.media)
    }

    /// Does what follows from a call of the user, and shows the state that it left.
    func finishCall() {
        self.pump()
        self.shared.publish(self.session, self.media)
    }

    // MARK: Media

    /// Sends what a track of a sender's delivers.
    func send(_ item: SenderOutlet.Item, of id: TransceiverID) {
        switch item {
        case .packet(let packet, let encoding):
            self.waiting.append(WaitingPacket(packet: packet, sender: id, encoding: encoding))
            return self.packetWaits(endsPicture: packet.packet.marker || packet.format.kind == .audio)
        case .frame(let frame, let source):
            self.sendWaiting(now: .now())
            guard let frame = self.media[id]?.sender.transformed(frame) else { return }
            do {
                try self.session.send(frame, of: id, source: source, now: .now())
            } catch {
                self.logger.debug("a frame was not sent", metadata: ["error": "\(error)"])
            }
        }
        self.needsPump()
    }

    /// Packets of a picture leave together: the kernel takes them in one call, which costs a third.
    private func packetWaits(endsPicture: Bool) {
        if !endsPicture, self.waiting.count < Self.mostWaitingPackets {
            guard !self.isMarked, !self.isHeld else { return }
            self.isHeld = self.network.hold(self)
            if self.isHeld { return }
        }
        self.needsPump(hasOnlyMedia: true)
    }

    private func sendWaiting(now: NIODeadline) {
        guard !self.waiting.isEmpty else { return }
        for item in self.waiting { self.session.send(item.packet, of: item.sender, encoding: item.encoding, now: now) }
        self.waiting.removeAll(keepingCapacity: true)
    }

    /// The object of a transceiver that the session has.
    func transceiver(_ id: TransceiverID) -> RTCRtpTransceiver {
        self.media.update(from: self.session)
        guard let transceiver = self.media[id] else {
            preconditionFailure("a transceiver that the session made is gone")
        }
        return transceiver
    }

    // MARK: Channels

    func add(_ channel: RTCDataChannel, handle: DataChannelHandle) { self.channels[handle] = channel }

    /// Carries out what users of the channels asked for since the last time.
    func performCommands() {
        let now = NIODeadline.now()
        for command in self.shared.takeCommands() {
            switch command {
            case .send(let channel, let kind, let bytes):
                self.send(bytes, kind: kind, on: channel, now: now)
            case .close(let handle):
                self.session.closeDataChannel(handle, now: now)
            case .abort(let handle):
                self.session.abortDataChannel(handle, now: now)
            case .read(let bytes):
                self.session.messagesRead(bytes: bytes, now: now)
            }
        }
        self.pump()
    }

    private func send(_ bytes: ByteBuffer, kind: DataChannelMessageKind, on channel: RTCDataChannel, now: NIODeadline) {
        channel.inTransport.value += bytes.readableBytes
        do {
            try self.session.send(bytes, kind: kind, on: channel.handle, now: now)
        } catch {
            // The channel went away between the sender's check and now; its own event tells the sender.
            self.logger.debug("a message was not sent", metadata: ["error": "\(error)"])
        }
    }

    private func handle(_ event: PeerSession.Event) {
        switch event {
        case .dataChannelMessages(let handle, let messages):
            self.channels[handle]?.receive(messages)
        case .dataChannelBufferedAmount(let handle, let amount):
            guard let channel = self.channels[handle] else { return }
            let sent = channel.inTransport.value - amount
            channel.inTransport.value = amount
            channel.sent(bytes: sent)
        case .dataChannelIDAssigned(let handle, let id):
            self.channels[handle]?.assign(id)
        case .dataChannel(let handle, let parameters, let id):
            let channel = RTCDataChannel(handle: handle, parameters: parameters, id: id, shared: self.shared)
            self.channels[handle] = channel
            self.publishIfChanged()
            self.shared.emit(.dataChannel(channel))
        case .dataChannelOpen(let handle):
            self.channels[handle]?.opened()
        case .dataChannelClosing(let handle):
            self.channels[handle]?.closing()
        case .dataChannelClosed(let handle, let error):
            self.channels.removeValue(forKey: handle)?.closed(error)
        case .trackMuted, .trackUnmuted, .trackEnded, .streamTrackAdded, .streamTrackRemoved, .track:
            self.publishIfChanged()
            if let event = self.media.handle(event) { self.shared.emit(event) }
        default:
            self.publishIfChanged()
            if let event = RTCPeerConnection.Event(event) { self.shared.emit(event) }
        }
    }

    // MARK: The end

    /// Closes the session and lets go of the sockets when its last datagrams are out.
    func close() {
        guard self.isAttached else { return }
        self.isAttached = false
        self.sendWaiting(now: .now())
        let statistics = self.session.statistics(now: .now(), timestamp: WallClock.milliseconds)
        self.session.close(now: .now())
        self.pump()
        self.timer?.cancel()
        self.timer = nil
        let channels = self.channels.values
        self.channels = [:]
        for channel in channels { channel.closed(nil) }
        self.media.close(self.session)
        self.shared.publish(self.session, self.media)
        self.network.detach(self)
        self.flows.closeAll()
        self.dialer.closeAll()
        self.resolver.close()
        self.route = nil
        self.shared.finish(statistics)
        SCTPTicker.release()
    }
}
