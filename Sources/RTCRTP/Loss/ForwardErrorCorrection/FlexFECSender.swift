import NIOCore

/// Makes the repair packets of one stream (RFC 8627, draft-ietf-payload-flexible-fec-scheme-03).
///
/// Packets are gathered until a frame's end, over several frames while so few packets need no repair packet yet. All memory
/// is used again for the next batch.
package struct FlexFECSender: Sendable {
    /// What was made so far.
    package struct Counters: Sendable, Hashable {
        /// Media packets in batches that were protected.
        package var packetsProtected: UInt64 = 0
        /// Repair packets.
        package var fecPacketsMade: UInt64 = 0
        /// Their payloads' bytes.
        package var fecBytesMade: UInt64 = 0
        /// Packets that cannot be protected: malformed, of another stream, too large.
        package var packetsIgnored: UInt64 = 0
    }

    /// How many packets in a row one batch spans at most: what the second part of a mask still reaches.
    package static let maximumBatch = 46

    private struct Member {
        var distance = 0
        var packet = ByteBuffer()
    }

    /// How many repair packets there are for each media packet, 0 to 1. 0 by default: nothing is protected.
    package var level = 0.0 {
        didSet { if !(self.level > 0) { self.count = 0 } }
    }
    /// Which packets share a repair packet. Interleaved by default.
    package var pattern = FlexFECPattern.interleaved
    /// What was made so far.
    package private(set) var counters = Counters()

    private let form: FlexFECForm
    private let ssrc: SSRC
    private let mutableExtensions: MutableExtensions
    private let maximumPacketSize: Int
    private let maximumFrames: Int
    private var members: ContiguousArray<Member>
    private var count = 0
    private var frames = 0
    private var base: UInt16 = 0
    private var parity: FlexFECParity
    private var payload = ByteBuffer()

    /// A sender for one protected stream.
    ///
    /// - Parameters:
    ///   - form: The form of the repair packets' header. With ``FlexFECForm/rfc8627`` the RTP header of the repair packets
    ///     must list `ssrc` as their contributing source.
    ///   - ssrc: The protected stream.
    ///   - extensionMap: The ids agreed for the protected stream. Send times and transport-wide numbers are protected as
    ///     zero, so they may be written later.
    ///   - maximumPacketSize: The largest media packet in bytes; larger ones are not protected. 1,500 by default.
    ///   - maximumFrames: How many frames a batch has at most, at least 1. 4 by default.
    package init(
        form: FlexFECForm,
        protecting ssrc: SSRC,
        extensionMap: HeaderExtensionMap = HeaderExtensionMap(),
        maximumPacketSize: Int = 1500,
        maximumFrames: Int = 4
    ) {
        self.form = form
        self.ssrc = ssrc
        self.mutableExtensions = MutableExtensions(extensionMap)
        self.maximumPacketSize = maximumPacketSize
        self.maximumFrames = maximumFrames
        self.members = ContiguousArray(repeating: Member(), count: Self.maximumBatch)
        self.parity = FlexFECParity(maximumPacketSize: maximumPacketSize)
    }

    /// By how many bytes a repair packet is at most larger than the largest packet that it protects, beside contributing
    /// sources and header extensions of its own.
    package static func overhead(form: FlexFECForm) -> Int { form.sizeBeforeMask + 6 }

    /// The memory that packets take, in bytes.
    package var storageSize: Int { self.members.reduce(self.payload.capacity) { $0 + $1.packet.capacity } }

    /// Takes the next media packet, before encryption, in the order of sequence numbers.
    ///
    /// - Parameters:
    ///   - endsFrame: Whether it is the last of its frame.
    ///   - emit: Takes the payloads of repair packets; the bytes are valid during the call.
    package mutating func append(_ packet: RawSpan, endsFrame: Bool, emit: (RawSpan) -> Void) {
        guard self.level > 0 else { return }
        guard packet.byteCount <= self.maximumPacketSize, let view = RTPPacketView(packet),
            view.header.ssrc == self.ssrc
        else {
            self.counters.packetsIgnored += 1
            return
        }
        self.store(packet, view, emit: emit)
        if endsFrame { self.endFrame(emit: emit) }
    }

    /// Protects what was gathered, however little it is: before a pause.
    package mutating func flush(emit: (RawSpan) -> Void) {
        defer { self.count = 0 }
        guard self.count > 0, self.level > 0 else { return }
        let repairs = min(max(1, Int((Double(self.count) * min(self.level, 1)).rounded())), self.count)
        for repair in 0..<repairs { self.makeRepair(repair, of: repairs, emit: emit) }
        self.counters.packetsProtected += UInt64(self.count)
    }

    private mutating func store(_ packet: RawSpan, _ view: RTPPacketView, emit: (RawSpan) -> Void) {
        var distance = SequenceNumbers.distance(from: self.base, to: view.header.sequenceNumber)
        if self.count > 0, distance > self.members[self.count - 1].distance, distance < Self.maximumBatch {
            // It goes on.
        } else {
            self.flush(emit: emit)
            self.base = view.header.sequenceNumber
            self.frames = 0
            distance = 0
        }
        let index = self.count
        self.members[index].distance = distance
        self.members[index].packet.clear()
        self.members[index].packet.writeBytes(packet)
        self.members[index].packet.withUnsafeMutableReadableBytes { self.mutableExtensions.clear(in: $0, view) }
        self.count += 1
    }

    private mutating func endFrame(emit: (RawSpan) -> Void) {
        self.frames += 1
        guard Double(self.count) * self.level >= 1 || self.frames >= self.maximumFrames else { return }
        self.flush(emit: emit)
    }

    private mutating func makeRepair(_ repair: Int, of repairs: Int, emit: (RawSpan) -> Void) {
        var mask = FlexFECMask()
        self.parity.clear()
        for index in 0..<self.count where self.pattern.protects(index, of: self.count, by: repair, of: repairs) {
            let member = self.members[index]
            guard self.parity.add(packet: member.packet.readableBytesSpan) else { continue }
            mask.insert(member.distance)
        }
        guard !mask.isEmpty else { return }
        let header = FlexFECHeader(recovery: self.parity.recovery, ssrc: self.ssrc, base: self.base, mask: mask)
        self.write(header)
        self.counters.fecPacketsMade += 1
        self.counters.fecBytesMade += UInt64(self.payload.readableBytes)
        // A span of one's own property may not be lent out.
        let payload = self.payload
        emit(payload.readableBytesSpan)
    }

    private mutating func write(_ header: FlexFECHeader) {
        let headerSize = header.size(form: self.form)
        let size = headerSize + self.parity.bodySize
        self.payload.clear()
        self.payload.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
            header.write(into: bytes, form: self.form)
            self.parity.copyBody(to: UnsafeMutableRawBufferPointer(rebasing: bytes[headerSize..<size]))
            return size
        }
    }
}
