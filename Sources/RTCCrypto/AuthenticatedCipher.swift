internal import CRTCOpenSSL

/// AES-256-GCM (NIST SP 800-38D) with one key in one direction: seals, or opens.
///
/// Confined to one thread, since every use works in the same context.
public final class AuthenticatedCipher {
    /// What a cipher does.
    public enum Direction: Sendable {
        /// Encrypts and authenticates.
        case sealing
        /// Checks and decrypts.
        case opening
    }

    /// The size of a key in bytes.
    public static let keySize = 32
    /// The size of a nonce in bytes.
    public static let nonceSize = 12
    /// How much longer a sealed text is, in bytes.
    public static let tagSize = 16

    /// What it does.
    public let direction: Direction
    private let context: OpaquePointer

    /// Prepares a key of ``keySize`` bytes.
    ///
    /// - Returns: `nil` for a key of another size, or if the linked OpenSSL refuses.
    public init?(_ direction: Direction, key: RawSpan) {
        guard key.byteCount == Self.keySize else { return nil }
        let context = key.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: UInt8.self) { key in
                crtc_aead_create(EVP_aes_256_gcm(), key.baseAddress, direction == .sealing ? 1 : 0)
            }
        }
        guard let context else { return nil }
        self.direction = direction
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(self.context) }

    /// Encrypts, and appends the tag. A nonce must never come twice with one key.
    ///
    /// - Returns: `nil` if this one opens, the nonce has another size than ``nonceSize``, or OpenSSL refuses.
    public func seal(_ text: [UInt8], nonce: [UInt8], authenticating associated: [UInt8] = []) -> [UInt8]? {
        guard self.direction == .sealing, nonce.count == Self.nonceSize, let sizes = Self.sizes(text, associated) else {
            return nil
        }
        let sealed = [UInt8](unsafeUninitializedCapacity: text.count + Self.tagSize) { output, count in
            let done = crtc_aead_seal(
                self.context,
                nonce,
                associated,
                sizes.associated,
                text,
                sizes.text,
                output.baseAddress
            )
            count = done == 1 ? text.count + Self.tagSize : 0
        }
        return sealed.isEmpty ? nil : sealed
    }

    /// Checks and decrypts.
    ///
    /// - Returns: `nil` for anything but what the same key sealed with that nonce and those associated bytes.
    public func open(_ sealed: [UInt8], nonce: [UInt8], authenticating associated: [UInt8] = []) -> [UInt8]? {
        guard self.direction == .opening, nonce.count == Self.nonceSize, sealed.count >= Self.tagSize,
            let sizes = Self.sizes(sealed, associated)
        else { return nil }
        let size = sealed.count - Self.tagSize
        var isAuthentic = false
        // One byte more, so that there is an address for an empty text too.
        let text = [UInt8](unsafeUninitializedCapacity: size + 1) { output, count in
            isAuthentic =
                crtc_aead_open(
                    self.context,
                    nonce,
                    associated,
                    sizes.associated,
                    sealed,
                    sizes.text - Int32(Self.tagSize),
                    output.baseAddress
                ) == 1
            count = isAuthentic ? size : 0
        }
        return isAuthentic ? text : nil
    }

    private static func sizes(_ text: [UInt8], _ associated: [UInt8]) -> (text: Int32, associated: Int32)? {
        guard let text = Int32(exactly: text.count), let associated = Int32(exactly: associated.count) else {
            return nil
        }
        return (text, associated)
    }
}
