internal import CRTCOpenSSL

/// Comparisons whose duration tells nothing of the bytes compared.
public enum ConstantTime {
    /// Whether both runs hold the same bytes; only their lengths may show in the duration.
    public static func equals(_ left: RawSpan, _ right: RawSpan) -> Bool {
        guard left.byteCount == right.byteCount else { return false }
        guard left.byteCount > 0 else { return true }
        return left.withUnsafeBytes { first in
            right.withUnsafeBytes { second in
                CRYPTO_memcmp(first.baseAddress, second.baseAddress, first.count) == 0
            }
        }
    }
}
