package import NIOCore

/// Finds lost packets of one stream again with the repair packets of another (RFC 8627,
/// draft-ietf-payload-flexible-fec-scheme-03).
///
/// All media packets of the stream are shown to it, retransmitted ones too. What it finds again waits in ``poll()``; one
/// found packet may be what another repair packet lacked. Its memory is bounded by its limits, whatever arrives.
package struct FlexFECReceiver: Sendable {
    /// What is held at most.
    package struct Limits: Sendable, Hashable {
        /// How many media packets, rounded up to a power of two of at least 128. 256 by default.
        package var mediaPackets = 256
        /// How many repair packets wait, at least 1. 48 by default.
        package var repairPackets = 48
        /// How many packets that were found wait, at least 1. 64 by default; then the oldest is dropped.
        package var recoveredPackets = 64
        /// The largest packet in bytes; larger ones are left out. 2,048 by default.
        package var packetSize = 2048

        /// The limits as said.
        package init() {}
    }

    /// What happened so far.
    package struct Counters: Sendable, Hashable {
        /// Repair packets that arrived.
        package var fecPacketsReceived: UInt64 = 0
        /// Their payloads' bytes.
        package var fecBytesReceived: UInt64 = 0
        /// Repair packets that found nothing: malformed, too late, repeated, without need, or proved wrong.
        package var fecPacketsDiscarded: UInt64 = 0
        /// Those of them that are malformed, of another stream or of a kind that is not understood.
        package var fecPacketsRefused: UInt64 = 0
        /// Those of them whose result was no packet.
        package var implausibleRecoveries: UInt64 = 0
        /// Media packets that were found.
        package var packetsRecovered: UInt64 = 0
        /// Those of them that nobody took in time.
        package var recoveredPacketsDropped: UInt64 = 0
        /// Media packets that were not looked at: malformed, of another stream, too large or too old.
        package var mediaPacketsIgnored: UInt64 = 0
    }

    private let form: FlexFECForm
    private let ssrc: SSRC
    private let mutableExtensions: MutableExtensions
    private let limits: Limits
    private var unwrapper = SequenceUnwrapper()
    private var window: ProtectedPacketWindow
    private var repairs: ContiguousArray<FlexFECRepair>
    private var waitingCount = 0
    private var lateInARow = 0
    private var parity: FlexFECParity
    private var recovered = RingQueue<ByteBuffer>()
    /// What happened so far.
    package private(set) var counters = Counters()

    /// A receiver for one protected stream.
    ///
    /// - Parameters:
    ///   - form: The form of the repair packets' header.
    ///   - ssrc: The protected stream.
    ///   - extensionMap: The ids agreed for the protected stream. Send times and transport-wide numbers are taken as zero,
    ///     as browsers do, and are zero in what is found. Empty if the sender protects them.
    ///   - limits: What is held at most.
    package init(
        form: FlexFECForm,
        protecting ssrc: SSRC,
        extensionMap: HeaderExtensionMap = HeaderExtensionMap(),
        limits: Limits = Limits()
    ) {
        self.form = form
        self.ssrc = ssrc
        self.mutableExtensions = MutableExtensions(extensionMap)
        self.limits = limits
        var capacity = 128
        while capacity < min(limits.mediaPackets, 8192) { capacity *= 2 }
        self.window = ProtectedPacketWindow(capacity: capacity)
        self.repairs = ContiguousArray(repeating: FlexFECRepair(), count: min(max(1, limits.repairPackets), 1024))
        self.parity = FlexFECParity(maximumPacketSize: limits.packetSize)
    }

    /// The memory that packets take, in bytes.
    package var storageSize: Int {
        self.window.storageSize + self.repairs.reduce(0) { $0 + $1.body.capacity }
    }

    /// The next packet that was found: a whole RTP packet, without padding to guess or fields to fill in.
    package mutating func poll() -> ByteBuffer? { self.recovered.popFirst() }

    /// Takes a media packet, decrypted and otherwise as received.
    ///
    /// - Returns: Whether it is new: not one that was received or found before, nor one that is ignored.
    @discardableResult
    package mutating func receiveMedia(_ packet: RawSpan) -> Bool {
        guard packet.byteCount <= self.limits.packetSize, let view = RTPPacketView(packet),
            view.header.ssrc == self.ssrc, let sequence = self.place(view.header.sequenceNumber)
        else {
            self.counters.mediaPacketsIgnored += 1
            return false
        }
        guard !self.window.contains(sequence) else { return false }
        self.window.insert(packet, view, sequence: sequence, without: self.mutableExtensions)
        self.noteArrival(of: sequence)
        self.recoverAll()
        return true
    }

    /// Takes a whole repair packet, decrypted and otherwise as received.
    package mutating func receiveRepair(_ packet: RawSpan, _ view: RTPPacketView) {
        let payload = packet.extracting(packet.clamped(view.payloadRange))
        if self.form == .rfc8627, view.contributingSourceCount > 0 {
            // With several streams a payload has several masks, and a hole in each of them may be the one.
            guard view.contributingSourceCount == 1, view.contributingSource(at: 0, in: packet) == self.ssrc else {
                self.count(payload)
                return self.refuse()
            }
        }
        self.receiveRepair(payload: payload)
    }

    /// Takes the payload of a repair packet, which is about the protected stream.
    package mutating func receiveRepair(payload: RawSpan) {
        self.count(payload)
        var headerSize = 0
        let result = FlexFECHeader.parse(payload, form: self.form, size: &headerSize)
        guard case .success(let header) = result, header.ssrc ?? self.ssrc == self.ssrc else { return self.refuse() }
        let body = payload.extracting(droppingFirst: headerSize)
        guard body.byteCount <= self.limits.packetSize - RTPHeader.fixedSize else { return self.refuse() }
        guard let base = self.base(of: header),
            !self.repairs.contains(where: { $0.protectsSame(as: header, base: base) })
        else { return self.discard() }
        self.insert(header, base: base, body: body)
        self.recoverAll()
    }

    private mutating func count(_ payload: RawSpan) {
        self.counters.fecPacketsReceived += 1
        self.counters.fecBytesReceived += UInt64(payload.byteCount)
    }

    private mutating func discard() { self.counters.fecPacketsDiscarded += 1 }

    private mutating func refuse() {
        self.counters.fecPacketsRefused += 1
        self.discard()
    }
}

extension FlexFECReceiver {
    /// So many packets in a row that are too old mean that the sender has begun anew.
    private static let lateBeforeRestart = 32

    /// The place of a media packet; `nil` if it is too old.
    private mutating func place(_ number: UInt16) -> Int64? {
        let sequence = self.unwrapper.peek(number)
        if let highest = self.unwrapper.highest, sequence <= highest - Int64(self.window.capacity) {
            self.lateInARow += 1
            guard self.lateInARow >= Self.lateBeforeRestart else { return nil }
            self.restart()
        }
        self.lateInARow = 0
        return self.unwrapper.unwrap(number)
    }

    private mutating func restart() {
        self.unwrapper = SequenceUnwrapper()
        self.window.removeAll()
        for index in self.repairs.indices { self.retire(index) }
    }

    /// Where the mask's distances are counted from; `nil` unless all that it names lies about the window.
    private func base(of header: FlexFECHeader) -> Int64? {
        guard let highest = self.unwrapper.highest, let first = header.mask.first, let last = header.mask.last else {
            return nil
        }
        let oldest = self.unwrapper.peek(header.base &+ UInt16(first))
        let base = oldest - Int64(first)
        let isInside = oldest > highest - Int64(self.window.capacity)
        let isNear = base + Int64(last) < highest + Int64(self.window.capacity / 2)
        return isInside && isNear ? base : nil
    }

    private mutating func insert(_ header: FlexFECHeader, base: Int64, body: RawSpan) {
        let missing = self.window.missing(of: header.mask, base: base)
        guard !missing.isEmpty else { return self.discard() }
        let index = self.indexOfSpareRepair()
        self.retire(index)
        self.repairs[index].assign(header, base: base, missing: missing, body: body)
        self.waitingCount += 1
    }

    /// One that does not wait, or else the one that waits for the oldest packets.
    private func indexOfSpareRepair() -> Int {
        var oldest = 0
        for index in self.repairs.indices {
            guard self.repairs[index].isWaiting else { return index }
            if self.repairs[index].oldest < self.repairs[oldest].oldest { oldest = index }
        }
        return oldest
    }

    /// Gives up a repair that still waits.
    private mutating func retire(_ index: Int) {
        guard self.repairs[index].isWaiting else { return }
        self.repairs[index].retire()
        self.waitingCount -= 1
        self.discard()
    }

    private mutating func noteArrival(of sequence: Int64) {
        guard self.waitingCount > 0 else { return }
        let oldest = (self.unwrapper.highest ?? sequence) - Int64(self.window.capacity)
        for index in self.repairs.indices where self.repairs[index].isWaiting {
            if self.repairs[index].oldest <= oldest {
                self.retire(index)
                continue
            }
            self.repairs[index].note(sequence)
            if !self.repairs[index].isWaiting {
                self.waitingCount -= 1
                self.discard()
            }
        }
    }

    /// Finds whatever can be found. Every round ends one repair.
    private mutating func recoverAll() {
        while self.waitingCount > 0, let index = self.repairs.firstIndex(where: { $0.missing.count == 1 }) {
            self.recover(with: index)
        }
    }

    private mutating func recover(with index: Int) {
        let repair = self.repairs[index]
        self.repairs[index].retire()
        self.waitingCount -= 1
        guard let distance = repair.missing.first, self.sum(repair, without: distance),
            let packet = self.makePacket(repair.base + Int64(distance))
        else {
            self.counters.implausibleRecoveries += 1
            return self.discard()
        }
        self.deliver(packet, sequence: repair.base + Int64(distance))
    }

    /// Adds up the repair and all that it protects but one packet.
    private mutating func sum(_ repair: FlexFECRepair, without distance: Int) -> Bool {
        self.parity.clear()
        guard self.parity.add(repair.recovery, body: repair.body.readableBytesSpan) else { return false }
        var others = repair.mask
        others.remove(distance)
        while let other = others.popFirst() {
            guard let packet = self.window[repair.base + Int64(other)],
                self.parity.add(packet: packet.readableBytesSpan)
            else { return false }
        }
        return self.parity.isWithinLength
    }

    /// The packet that the sum is; `nil` if it is none.
    private func makePacket(_ sequence: Int64) -> ByteBuffer? {
        let recovery = self.parity.recovery
        let size = RTPHeader.fixedSize + Int(recovery.length)
        var packet = ByteBufferAllocator().buffer(capacity: size)
        packet.writeInteger(0x8000 | recovery.flags)
        packet.writeInteger(UInt16(truncatingIfNeeded: sequence))
        packet.writeInteger(recovery.timestamp)
        packet.writeInteger(self.ssrc.rawValue)
        packet.writeWithUnsafeMutableBytes(minimumWritableBytes: Int(recovery.length)) { bytes in
            self.parity.copyBody(to: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(Int(recovery.length))))
            return Int(recovery.length)
        }
        guard let view = RTPPacketView(packet.readableBytesSpan) else { return nil }
        packet.withUnsafeMutableReadableBytes { self.mutableExtensions.clear(in: $0, view) }
        return packet
    }

    private mutating func deliver(_ packet: ByteBuffer, sequence: Int64) {
        self.counters.packetsRecovered += 1
        _ = self.unwrapper.unwrap(UInt16(truncatingIfNeeded: sequence))
        self.window.insert(packet, sequence: sequence)
        if self.recovered.count >= max(1, self.limits.recoveredPackets) {
            _ = self.recovered.popFirst()
            self.counters.recoveredPacketsDropped += 1
        }
        self.recovered.append(packet)
        self.noteArrival(of: sequence)
    }
}
