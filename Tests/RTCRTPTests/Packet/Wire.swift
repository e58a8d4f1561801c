import NIOCore
import RTCBase

@testable import RTCRTP

/// Bytes as they are on the wire. The testing macros take no spans, so tests hold packets in arrays.
enum Wire {
    /// The bytes of a text of hexadecimal digits and spaces.
    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// The bytes of a buffer.
    static func bytes(_ buffer: ByteBuffer) -> [UInt8] { Array(buffer.readableBytesView) }

    /// One to five bytes of `bytes` changed, cut off, or appended.
    static func mutated(_ bytes: [UInt8], using random: inout RandomSource) -> [UInt8] {
        var bytes = bytes
        guard !bytes.isEmpty else { return random.bytes(count: 20) }
        for _ in 0...Int(random.next() % 5) {
            bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        switch random.next() % 4 {
        case 0: return Array(bytes.prefix(Int(random.next() % UInt64(bytes.count))))
        case 1: return bytes + random.bytes(count: Int(random.next() % 20))
        default: return bytes
        }
    }
}

extension RTPPacketView {
    init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }

    func payload(in bytes: [UInt8]) -> [UInt8] { Array(bytes[self.payloadRange]) }

    func contributingSources(in bytes: [UInt8]) -> [UInt32] {
        (0..<self.contributingSourceCount).compactMap {
            self.contributingSource(at: $0, in: bytes.span.bytes)?.rawValue
        }
    }

    /// Ids and values of the header extension's elements.
    func elements(in bytes: [UInt8]) -> [TestElement] {
        var found: [TestElement] = []
        var elements = self.extensions
        while let element = elements.next(in: bytes.span.bytes) {
            found.append(TestElement(id: element.id, bytes: Array(bytes[element.range])))
        }
        return found
    }

    func value<Value: HeaderExtensionValue>(_ type: Value.Type, in bytes: [UInt8], map: HeaderExtensionMap) -> Value? {
        self.value(type, in: bytes.span.bytes, map: map)
    }
}

struct TestElement: Equatable {
    var id: UInt8
    var bytes: [UInt8]
}

extension RTPPacketKind {
    init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }
}

extension HeaderExtensionValue {
    init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }

    var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: self.byteCount) { memory, count in
            self.write(into: UnsafeMutableRawBufferPointer(memory))
            count = self.byteCount
        }
    }
}

extension RTPHeader {
    static let sample = RTPHeader(
        marker: true,
        payloadType: PayloadType(lowBitsOf: 96),
        sequenceNumber: 0x1234,
        timestamp: 0x89AB_CDEF,
        ssrc: SSRC(0xCAFE_F00D)
    )

    static func random(using random: inout RandomSource) -> RTPHeader {
        RTPHeader(
            marker: random.next() % 2 == 0,
            payloadType: PayloadType(lowBitsOf: UInt8(96 + random.next() % 32)),
            sequenceNumber: UInt16(truncatingIfNeeded: random.next()),
            timestamp: UInt32(truncatingIfNeeded: random.next()),
            ssrc: SSRC(UInt32(truncatingIfNeeded: random.next()))
        )
    }
}
