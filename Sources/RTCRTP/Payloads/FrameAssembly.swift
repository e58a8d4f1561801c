internal import NIOCore

/// What all depacketizers share: the frame under way, its limits, and the first thing that is wrong with it.
struct FrameAssembly: Sendable {
    let limits: DepacketizerLimits
    var buffer = ByteBuffer()
    private(set) var failure: DepacketizationError?
    private(set) var counters = DepacketizerCounters()
    private(set) var packets = 0
    private var timestamp: UInt32 = 0
    private var isStartKnown = false
    private var next: UInt16 = 0
    private var hasEnded = false

    init(limits: DepacketizerLimits) { self.limits = limits }

    mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.buffer = ByteBuffer()
        self.failure = nil
        self.packets = 0
        self.timestamp = timestamp
        self.isStartKnown = isStartKnown
        self.hasEnded = false
    }

    /// Notes what is wrong; only the first thing counts.
    mutating func fail(_ error: DepacketizationError) {
        if self.failure == nil { self.failure = error }
    }

    /// Whether the packet is the one that must come; notes what is wrong if it is not.
    mutating func admit(_ descriptor: RTPPayloadDescriptor?, sequenceNumber: UInt16) -> Bool {
        guard self.failure == nil else { return false }
        guard self.packets < self.limits.packets else { return self.refuse(.tooManyPackets) }
        if self.packets > 0 && sequenceNumber != self.next { return self.refuse(.missingPacket) }
        guard !self.hasEnded else { return self.refuse(.inconsistentPackets) }
        guard let descriptor else { return self.refuse(.malformedHeader) }
        if self.packets == 0 && !(descriptor.beginsFrame ?? self.isStartKnown) { return self.refuse(.missingStart) }
        self.packets += 1
        self.next = sequenceNumber &+ 1
        self.hasEnded = descriptor.endsFrame
        return true
    }

    private mutating func refuse(_ error: DepacketizationError) -> Bool {
        self.fail(error)
        return false
    }

    /// Appends bytes to the frame, within the limits.
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard self.hasRoom(for: bytes.count) else { return }
        self.buffer.writeBytes(bytes)
    }

    /// Appends one byte to the frame, within the limits.
    mutating func write(_ byte: UInt8) {
        guard self.hasRoom(for: 1) else { return }
        self.buffer.writeInteger(byte)
    }

    /// Appends the start code of Annex B to the frame, within the limits.
    mutating func writeStartCode() {
        guard self.hasRoom(for: 4) else { return }
        self.buffer.writeInteger(UInt32(1))
    }

    private mutating func hasRoom(for count: Int) -> Bool {
        guard self.failure == nil else { return false }
        guard count <= self.limits.frameSize - self.buffer.readableBytes else { return self.refuse(.frameTooLarge) }
        return true
    }

    /// The frame, if nothing is wrong with it.
    mutating func finish(isKeyFrame: Bool) -> Result<EncodedFrame, DepacketizationError> {
        if self.packets == 0 { self.fail(.noPackets) }
        if !self.hasEnded { self.fail(.missingEnd) }
        if self.buffer.readableBytes == 0 { self.fail(.emptyPayload) }
        defer { self.begin(timestamp: 0, isStartKnown: false) }
        if let failure = self.failure {
            self.counters.count(failure)
            return .failure(failure)
        }
        self.counters.frames &+= 1
        return .success(EncodedFrame(payload: self.buffer, timestamp: self.timestamp, isKeyFrame: isKeyFrame))
    }
}
