/// The hash of a certificate, as SDP's `fingerprint` attribute carries it (RFC 8122 section 5).
public struct DTLSFingerprint: Sendable, Hashable {
    /// The hash function.
    ///
    /// SHA-1, SHA-224, MD5 and MD2, which RFC 8122 knows too, are too weak to identify anybody.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable, Comparable {
        /// SHA-256, which every WebRTC endpoint has.
        case sha256 = "sha-256"
        /// SHA-384.
        case sha384 = "sha-384"
        /// SHA-512.
        case sha512 = "sha-512"

        /// The length of the hash in bytes.
        public var byteCount: Int {
            switch self {
            case .sha256: return 32
            case .sha384: return 48
            case .sha512: return 64
            }
        }

        /// Orders by strength.
        public static func < (lhs: Algorithm, rhs: Algorithm) -> Bool { lhs.byteCount < rhs.byteCount }
    }

    /// The hash function.
    public let algorithm: Algorithm
    /// The hash.
    public let bytes: [UInt8]

    /// A fingerprint from its bytes; `nil` when their count is not the algorithm's.
    public init?(algorithm: Algorithm, bytes: [UInt8]) {
        guard bytes.count == algorithm.byteCount else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// A fingerprint from the two words of the SDP attribute, for example `sha-256` and `4A:AD:B9:…`, in either case of
    /// letters.
    ///
    /// - Returns: `nil` for an unknown or weak algorithm, and for a value of another form or length.
    public init?(algorithmName: String, value: String) {
        guard let algorithm = Algorithm(rawValue: algorithmName.lowercased()),
            value.utf8.count == algorithm.byteCount * 3 - 1
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(algorithm.byteCount)
        for pair in value.split(separator: ":", omittingEmptySubsequences: false) {
            guard pair.utf8.count == 2, pair.utf8.allSatisfy(Self.isHexadecimal), let byte = UInt8(pair, radix: 16)
            else { return nil }
            bytes.append(byte)
        }
        self.init(algorithm: algorithm, bytes: bytes)
    }

    /// The hash as SDP writes it: upper-case hexadecimal pairs between colons.
    public var value: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(self.bytes.count * 3)
        for byte in self.bytes {
            if !text.isEmpty { text.append(UInt8(ascii: ":")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func isHexadecimal(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            return true
        default:
            return false
        }
    }
}

extension DTLSFingerprint: CustomStringConvertible {
    /// The SDP attribute's value, for example `sha-256 4A:AD:B9:…`.
    public var description: String { "\(self.algorithm.rawValue) \(self.value)" }
}
