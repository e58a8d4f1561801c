import NIOCore
import RTCSTUN
import RTCTURN

// The testing macros take no spans, so tests hold their messages in arrays.

func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

extension ByteBuffer {
    var bytes: [UInt8] { Array(self.readableBytesView) }
}

/// A message with its bytes and attributes.
struct ReadMessage {
    let bytes: [UInt8]
    let message: STUNMessage
    let attributes: TURNAttributes

    init?(_ bytes: [UInt8]) {
        guard let message = STUNMessage(bytes.span.bytes) else { return nil }
        self.bytes = bytes
        self.message = message
        self.attributes = TURNAttributes(of: message, in: bytes.span.bytes)
    }

    var username: String? { self.message.username(in: self.bytes.span.bytes) }
    var realm: String? { self.message.realm(in: self.bytes.span.bytes) }
    var nonce: String? { self.message.nonce(in: self.bytes.span.bytes) }
    var unknownAttributes: [STUNAttributeType] { self.message.unknownAttributes(in: self.bytes.span.bytes) }
    var passwordAlgorithms: [STUNPasswordAlgorithm]? {
        self.attributes.passwordAlgorithms(in: self.bytes.span.bytes)
    }
    var alternateDomain: String? { self.attributes.alternateDomain(in: self.bytes.span.bytes) }
    var data: [UInt8]? { self.attributes.dataRange.map { Array(self.bytes[$0]) } }
    var userhash: [UInt8]? { self.attributes.userhashRange.map { Array(self.bytes[$0]) } }

    func isIntact(_ key: STUNIntegrityKey) -> Bool {
        self.message.hasValidIntegrity(in: self.bytes.span.bytes, key: key)
    }
}
