public import NIOCore
internal import RTCBase
internal import RTCCrypto

/// Makes and recognises nonces without keeping any: each is a time, and a code over time and client under a secret (RFC 8489
/// section 9.2). Confined to one thread.
public final class STUNNonceIssuer {
    /// What a nonce turned out to be.
    public enum Verdict: Sendable, Hashable {
        /// Made here for this client, and not too old.
        case valid
        /// Too old, of another client, or not made here: the client gets a new one.
        case stale
    }

    private let key: HMACKey?
    private let prefix: String
    private let lifetime: TimeAmount

    /// An issuer.
    ///
    /// - Parameters:
    ///   - secret: The same for all cores of a server; never told to anybody.
    ///   - features: What nonces announce.
    ///   - lifetime: How long a nonce is good for.
    public init(secret: [UInt8], features: STUNSecurityFeatures, lifetime: TimeAmount) {
        self.key = HMACKey(.sha256, key: secret.span.bytes)
        self.prefix = STUNNonceCookie.encode(features)
        self.lifetime = lifetime
    }

    /// A nonce for a client: 37 characters.
    public func nonce(for client: TURNFiveTuple, now: NIODeadline) -> String {
        let seconds = Self.seconds(now)
        return self.prefix + Base64.encode(Self.bigEndian(seconds) + self.code(seconds, client).prefix(Self.codeSize))
    }

    /// What a nonce is that a client sent.
    public func verdict(on nonce: String, from client: TURNFiveTuple, now: NIODeadline) -> Verdict {
        let text = Array(nonce.utf8.prefix(64))
        guard text.starts(with: self.prefix.utf8), let bytes = Base64.decode(text.dropFirst(self.prefix.utf8.count)),
            bytes.count == 4 + Self.codeSize
        else { return .stale }
        let seconds = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let given = Array(bytes.dropFirst(4))
        let expected = Array(self.code(seconds, client).prefix(Self.codeSize))
        guard ConstantTime.equals(given.span.bytes, expected.span.bytes) else { return .stale }
        let age = Int64(Self.seconds(now) &- seconds)
        return age <= self.lifetime.nanoseconds / 1_000_000_000 ? .valid : .stale
    }

    private func code(_ seconds: UInt32, _ client: TURNFiveTuple) -> [UInt8] {
        var text = Self.bigEndian(seconds)
        for address in [client.client, client.server] {
            text += address.ipBytes
            text += [UInt8(address.port >> 8), UInt8(address.port & 0xFF)]
        }
        text.append(client.transport.rawValue)
        return self.key?.code(of: text.span.bytes) ?? [UInt8](repeating: 0, count: 32)
    }

    private static let codeSize = 14

    private static func seconds(_ now: NIODeadline) -> UInt32 {
        UInt32(truncatingIfNeeded: now.uptimeNanoseconds / 1_000_000_000)
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
    }
}
