import NIOCore
import RTCBase

@testable import RTCRTP

// Spans do not go through the macros of Testing; arrays do.

extension FlexFECReceiver {
    @discardableResult
    mutating func receiveMedia(_ packet: [UInt8]) -> Bool { self.receiveMedia(packet.span.bytes) }

    mutating func receiveRepair(payload: [UInt8]) { self.receiveRepair(payload: payload.span.bytes) }

    mutating func receiveRepairPacket(_ packet: [UInt8]) {
        guard let view = RTPPacketView(packet) else { return }
        self.receiveRepair(packet.span.bytes, view)
    }

    /// All that was found.
    mutating func drain() -> [[UInt8]] {
        var packets: [[UInt8]] = []
        while let packet = self.poll() { packets.append(Wire.bytes(packet)) }
        return packets
    }
}

extension FlexFECSender {
    /// The payloads that the packet makes for.
    mutating func append(_ packet: [UInt8], endsFrame: Bool = false) -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        self.append(packet.span.bytes, endsFrame: endsFrame) { payloads.append($0.withUnsafeBytes(Array.init)) }
        return payloads
    }

    mutating func flush() -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        self.flush { payloads.append($0.withUnsafeBytes(Array.init)) }
        return payloads
    }
}

extension FlexFECHeader {
    /// The header and what follows it.
    static func parse(_ payload: [UInt8], form: FlexFECForm) -> Result<FlexFECHeader, Failure> {
        var size = 0
        return self.parse(payload.span.bytes, form: form, size: &size)
    }

    static func size(of payload: [UInt8], form: FlexFECForm) -> Int {
        var size = 0
        _ = self.parse(payload.span.bytes, form: form, size: &size)
        return size
    }

    func bytes(form: FlexFECForm) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: self.size(form: form))
        bytes.withUnsafeMutableBytes { self.write(into: $0, form: form) }
        return bytes
    }
}

extension FlexFECMask {
    var distances: [Int] {
        var rest = self
        var distances: [Int] = []
        while let distance = rest.popFirst() { distances.append(distance) }
        return distances
    }
}

/// Media packets of one stream with all that a header can have.
struct MediaSource {
    static let ssrc = SSRC(0x1122_3344)
    static let map = HeaderExtensionMap([.absoluteSendTime: 3, .mid: 4, .transportSequenceNumber: 5])

    var random: RandomSource
    var sequenceNumber: UInt16
    var timestamp: UInt32 = 0xFFFF_0000
    var maximumPayload = 1200

    init(seed: UInt64) {
        self.random = .seeded(seed)
        self.sequenceNumber = UInt16(truncatingIfNeeded: self.random.next())
    }

    /// The next packet. With `map` send time and transport-wide number are those that FEC sees: zero.
    mutating func next(marker: Bool = false, map: HeaderExtensionMap? = nil) -> [UInt8] {
        let header = RTPHeader(
            marker: marker,
            payloadType: PayloadType(lowBitsOf: 96),
            sequenceNumber: self.sequenceNumber,
            timestamp: self.timestamp,
            ssrc: Self.ssrc
        )
        self.sequenceNumber &+= 1
        if marker { self.timestamp &+= 3000 }
        let sources = (0..<Int(self.random.next() % 3)).map { SSRC(UInt32($0)) }
        let payload = self.random.bytes(count: Int(self.random.next() % UInt64(self.maximumPayload)))
        let paddingSize = self.random.next() % 4 == 0 ? Int(self.random.next() % 20) : 0
        let hasName = self.random.next() % 2 == 0
        var buffer = ByteBuffer()
        buffer.writeRTPPacket(header, contributingSources: sources, maximumSize: 1500, paddingSize: paddingSize) {
            if hasName { $0.appendExtension(id: 4, bytes: [0x76].span.bytes) }
            if map != nil {
                $0.appendExtension(id: 3, bytes: [0, 0, 0].span.bytes)
                $0.appendExtension(id: 5, bytes: [0, 0].span.bytes)
            }
            $0.appendPayload(payload.span.bytes)
        }
        return Wire.bytes(buffer)
    }

    /// The packet with send time and transport-wide number as they are when it leaves.
    mutating func stamped(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        guard let view = RTPPacketView(packet) else { return packet }
        for id in [UInt8(3), 5] {
            guard let range = view.extensionRange(id: id, in: packet.span.bytes) else { continue }
            for offset in range { packet[offset] = UInt8(truncatingIfNeeded: self.random.next()) }
        }
        return packet
    }
}
