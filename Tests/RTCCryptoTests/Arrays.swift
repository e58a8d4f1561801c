import RTCCrypto

// The testing macros take no spans, so tests hold their bytes in arrays.

extension HashAlgorithm {
    func digest(of bytes: [UInt8]) -> [UInt8] { self.digest(of: bytes.span.bytes) }
}

extension HMACKey {
    convenience init?(_ algorithm: HashAlgorithm, key: [UInt8]) {
        self.init(algorithm, key: key.span.bytes)
    }

    func code(of bytes: [UInt8]) -> [UInt8] { self.code(of: bytes.span.bytes) }
    func code(of first: [UInt8], then second: [UInt8]) -> [UInt8] {
        self.code(of: first.span.bytes, then: second.span.bytes)
    }
    func isValid(_ code: [UInt8], of bytes: [UInt8]) -> Bool {
        self.isValid(code.span.bytes, of: bytes.span.bytes)
    }
}

extension ConstantTime {
    static func equals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        self.equals(left.span.bytes, right.span.bytes)
    }
}
