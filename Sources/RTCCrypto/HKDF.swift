/// Keys from a secret (RFC 5869).
public enum HKDF {
    /// The key that is extracted from a secret and expanded for a purpose.
    ///
    /// - Parameters:
    ///   - algorithm: The hash function under the HMAC.
    ///   - secret: What is secret: the input keying material.
    ///   - salt: What makes the extraction independent of others; may be empty.
    ///   - info: The purpose; another one gives an unrelated key.
    ///   - count: The size of the key in bytes, 1 to 255 digests.
    /// - Returns: `nil` if `count` is out of range or the linked OpenSSL refuses the algorithm.
    public static func key(
        _ algorithm: HashAlgorithm,
        secret: RawSpan,
        salt: RawSpan,
        info: RawSpan,
        count: Int
    ) -> [UInt8]? {
        guard count > 0, count <= 255 * algorithm.digestSize, let extraction = HMACKey(algorithm, key: salt) else {
            return nil
        }
        let pseudorandom = extraction.code(of: secret)
        guard let expansion = HMACKey(algorithm, key: pseudorandom.span.bytes) else { return nil }
        let purpose = info.withUnsafeBytes { [UInt8]($0) }
        var key: [UInt8] = []
        var block: [UInt8] = []
        var counter: UInt8 = 1
        while key.count < count {
            block += purpose
            block.append(counter)
            block = expansion.code(of: block.span.bytes)
            key += block
            counter &+= 1
        }
        return Array(key.prefix(count))
    }
}
