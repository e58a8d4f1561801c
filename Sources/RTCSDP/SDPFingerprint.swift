/// The hash of a certificate (RFC 8122 section 5): `sha-256 AA:BB:…`.
public struct SDPFingerprint: Sendable, Hashable {
    /// The hash function's name in lower case, `sha-256` for example.
    public var algorithm: String
    /// The hash.
    public var value: [UInt8]

    /// A fingerprint from the name of the hash function, in any case, and the hash.
    public init(algorithm: String, value: [UInt8]) {
        self.algorithm = algorithm.lowercased()
        self.value = value
    }

    /// Parses `sha-256 AA:BB:…`; the hexadecimal digits may be of either case.
    ///
    /// - Throws: ``SDPError`` too when the hash of a known function has not that function's length.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard fields.count == 2, Grammar.isToken(fields[0]) else {
            throw SDPError("a fingerprint is a hash function and a hash, not \(Grammar.quoted(text))")
        }
        var value: [UInt8] = []
        value.reserveCapacity(fields[1].utf8.count / 3 + 1)
        for pair in Grammar.parts(fields[1], separator: UInt8(ascii: ":")) {
            guard pair.utf8.count == 2, pair.utf8.allSatisfy(Grammar.isLetterOrDigit), let byte = UInt8(pair, radix: 16)
            else {
                throw SDPError("\(Grammar.quoted(pair)) in a fingerprint is no byte of two hexadecimal digits")
            }
            value.append(byte)
        }
        self.init(algorithm: String(fields[0]), value: value)
        if let length = Self.lengths[self.algorithm], length != value.count {
            throw SDPError("a fingerprint of \(self.algorithm) has \(length) bytes, this one \(value.count)")
        }
    }

    private static let lengths = [
        "md5": 16, "sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64,
    ]
}

extension SDPFingerprint: AttributeValue {
    /// `sha-256 AA:BB:…` with upper-case digits, as RFC 8122 writes it.
    public var description: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text = Array(self.algorithm.utf8)
        text.reserveCapacity(text.count + 3 * self.value.count + 1)
        for (index, byte) in self.value.enumerated() {
            text.append(index == 0 ? Grammar.space : UInt8(ascii: ":"))
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
