import NIOCore
import RTCBase

@testable import RTCRTP

// Spans do not go through the macros of Testing; arrays do.

extension OpusPacket { init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) } }

extension VP8FrameHeader { init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) } }

extension VP9FrameHeader { init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) } }

extension AV1SequenceHeader { init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) } }

extension H264SequenceParameterSet { init?(nalUnit: [UInt8]) { self.init(nalUnit: nalUnit.span.bytes) } }

extension H265SequenceParameterSet { init?(nalUnit: [UInt8]) { self.init(nalUnit: nalUnit.span.bytes) } }

extension ComfortNoise { init?(payload: [UInt8]) { self.init(payload: payload.span.bytes) } }

extension PayloadFormat {
    func descriptor(of payload: [UInt8], marker: Bool) -> RTPPayloadDescriptor? {
        self.descriptor(of: payload.span.bytes, marker: marker)
    }
}

extension RTPDepacketizer {
    static func descriptor(of payload: [UInt8], marker: Bool) -> RTPPayloadDescriptor? {
        self.descriptor(of: payload.span.bytes, marker: marker)
    }

    mutating func depacketize(
        _ payload: [UInt8],
        timestamp: UInt32
    ) -> Result<EncodedFrame, DepacketizationError> {
        self.depacketize(payload.span.bytes, timestamp: timestamp)
    }
}

extension VP8Depacketizer {
    static func payloadDescriptor(of payload: [UInt8]) -> (descriptor: VP8PayloadDescriptor, byteCount: Int)? {
        self.payloadDescriptor(of: payload.span.bytes)
    }
}

extension VP9Depacketizer {
    static func payloadDescriptor(of payload: [UInt8]) -> (descriptor: VP9PayloadDescriptor, byteCount: Int)? {
        self.payloadDescriptor(of: payload.span.bytes)
    }
}

extension H264Depacketizer {
    mutating func learnParameterSet(_ unit: [UInt8]) { self.learnParameterSet(unit.span.bytes) }
}

extension REDPayload {
    static func parse(_ payload: [UInt8], timestamp: UInt32) -> Result<REDPayload, Failure> {
        self.parse(payload.span.bytes, timestamp: timestamp)
    }
}

extension TelephoneEventReceiver {
    mutating func receive(_ payload: [UInt8], timestamp: UInt32, marker: Bool, now: NIODeadline) {
        self.receive(payload.span.bytes, timestamp: timestamp, marker: marker, now: now)
    }
}

extension AnnexB {
    mutating func next(in bytes: [UInt8]) -> Range<Int>? { self.next(in: bytes.span.bytes) }
}
