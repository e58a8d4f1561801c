import NIOCore
import RTCSTUN

// The testing macros take no spans, so tests hold their messages in arrays.

extension ByteBuffer {
    var bytes: [UInt8] { Array(self.readableBytesView) }
}

extension STUNMessage {
    init?(_ bytes: [UInt8]) {
        self.init(bytes.span.bytes)
    }

    func username(in bytes: [UInt8]) -> String? { self.username(in: bytes.span.bytes) }
    func realm(in bytes: [UInt8]) -> String? { self.realm(in: bytes.span.bytes) }
    func nonce(in bytes: [UInt8]) -> String? { self.nonce(in: bytes.span.bytes) }
    func software(in bytes: [UInt8]) -> String? { self.software(in: bytes.span.bytes) }
    func errorReason(in bytes: [UInt8]) -> String { self.errorReason(in: bytes.span.bytes) }
    func unknownAttributes(in bytes: [UInt8]) -> [STUNAttributeType] { self.unknownAttributes(in: bytes.span.bytes) }

    func unknownComprehensionRequired(in bytes: [UInt8]) -> [STUNAttributeType] {
        self.unknownComprehensionRequired(in: bytes.span.bytes)
    }

    func hasValidIntegrity(in bytes: [UInt8], key: STUNIntegrityKey) -> Bool {
        self.hasValidIntegrity(in: bytes.span.bytes, key: key)
    }
}

extension STUNUsername {
    static func localUfrag(ofBindingRequest bytes: [UInt8]) -> String? {
        self.localUfrag(ofBindingRequest: bytes.span.bytes)
    }
}
