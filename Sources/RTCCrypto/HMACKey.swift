internal import CRTCOpenSSL

/// A key for HMAC (RFC 2104), prepared once and used for many messages.
///
/// Confined to one thread, since every use works in the same context.
public final class HMACKey {
    /// The hash function under the HMAC.
    public let algorithm: HashAlgorithm
    private let context: OpaquePointer

    /// Prepares a key of any length, including none.
    ///
    /// - Returns: `nil` if the linked OpenSSL refuses the algorithm, as FIPS builds do with MD5.
    public init?(_ algorithm: HashAlgorithm, key: RawSpan) {
        guard let mac = Self.mac.pointer, let context = EVP_MAC_CTX_new(mac) else { return nil }
        let prepared = key.withUnsafeBytes { bytes in
            crtc_hmac_prepare(context, algorithm.rawValue, bytes.baseAddress, bytes.count)
        }
        guard prepared == 1 else {
            EVP_MAC_CTX_free(context)
            return nil
        }
        self.algorithm = algorithm
        self.context = context
    }

    deinit {
        EVP_MAC_CTX_free(self.context)
    }

    /// The size of a code, in bytes.
    public var codeSize: Int { self.algorithm.digestSize }

    /// The authentication code of `bytes`.
    public func code(of bytes: RawSpan) -> [UInt8] {
        self.code(of: bytes, then: RawSpan())
    }

    /// The authentication code of two runs of bytes as if they stood one behind the other.
    public func code(of first: RawSpan, then second: RawSpan) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: self.codeSize) { output, count in
            count = self.write(to: UnsafeMutableRawBufferPointer(output), first, second) ? self.codeSize : 0
        }
    }

    /// Whether `code` is the authentication code of two runs of bytes, found out in constant time.
    ///
    /// - Parameter code: the whole code, or at least 10 leading bytes of one (RFC 2104 section 5).
    public func isValid(_ code: RawSpan, of first: RawSpan, then second: RawSpan = RawSpan()) -> Bool {
        guard code.byteCount >= 10, code.byteCount <= self.codeSize else { return false }
        return withUnsafeTemporaryAllocation(byteCount: self.codeSize, alignment: 8) { expected in
            guard self.write(to: expected, first, second) else { return false }
            return code.withUnsafeBytes { given in
                CRYPTO_memcmp(given.baseAddress, expected.baseAddress, given.count) == 0
            }
        }
    }

    private func write(to output: UnsafeMutableRawBufferPointer, _ first: RawSpan, _ second: RawSpan) -> Bool {
        guard EVP_MAC_init(self.context, nil, 0, nil) == 1 else { return false }
        for run in [0, 1] {
            let span = run == 0 ? first : second
            let updated = span.withUnsafeBytes { bytes in
                bytes.count == 0 ? 1 : EVP_MAC_update(self.context, bytes.baseAddress, bytes.count)
            }
            guard updated == 1 else { return false }
        }
        var written = 0
        return EVP_MAC_final(self.context, output.baseAddress, &written, output.count) == 1
            && written == self.codeSize
    }

    /// OpenSSL's HMAC implementation, looked up once per process and never freed.
    private static let mac = Implementation(pointer: EVP_MAC_fetch(nil, "HMAC", nil))

    private struct Implementation: @unchecked Sendable {
        /// Immutable and counted with atomics inside OpenSSL.
        let pointer: OpaquePointer?
    }
}
