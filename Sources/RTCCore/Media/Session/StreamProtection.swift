import NIOCore
import RTCRTP

/// The forward error correction of a stream that is sent: how much the loss asks for, and the repair packets (`flexfec-03`).
struct StreamProtection {
    private var policy = FECProtectionPolicy()
    /// Made with the first packet that is to be protected: it takes memory.
    private var encoder: FlexFECSender?
    private var nextSequence: UInt16
    /// Repair packets that were sent.
    private(set) var packets: UInt64 = 0
    /// Bytes of their payloads.
    private(set) var bytes: UInt64 = 0
    /// Bytes of their headers.
    private(set) var headerBytes: UInt64 = 0

    init(firstSequence: UInt16) { self.nextSequence = firstSequence }

    /// How many repair packets there are for each packet, 0 to 1.
    var level: Double { self.policy.level }

    /// Takes a report of the peer's.
    ///
    /// - Parameter fractionLost: The share of packets lost since the last report, 0 to 1.
    mutating func update(fractionLost: Double, roundTripTime: TimeAmount) {
        let level = self.policy.update(fractionLost: fractionLost, roundTripTime: roundTripTime)
        self.encoder?.level = level
    }

    /// Takes the next packet that was sent, as it was before encryption, and gives `emit` the payloads of repair packets.
    mutating func append(
        _ packet: RawSpan,
        of ssrc: SSRC,
        _ extensions: HeaderExtensionMap,
        endsFrame: Bool,
        emit: (RawSpan) -> Void
    ) {
        guard self.level > 0 else { return }
        if self.encoder == nil {
            var encoder = FlexFECSender(form: .draft03, protecting: ssrc, extensionMap: extensions)
            encoder.level = self.level
            self.encoder = encoder
        }
        self.encoder?.append(packet, endsFrame: endsFrame, emit: emit)
    }

    /// Begins anew: what header extensions mean has changed, or nothing is to be protected. Numbers go on, because SRTP must never see one
    /// twice.
    mutating func reset() { self.encoder = nil }

    /// The number of the next repair packet.
    mutating func takeSequence() -> UInt16 {
        defer { self.nextSequence &+= 1 }
        return self.nextSequence
    }

    mutating func noteSent(payloadSize: Int, headerSize: Int) {
        self.packets &+= 1
        self.bytes &+= UInt64(payloadSize)
        self.headerBytes &+= UInt64(headerSize)
    }
}
