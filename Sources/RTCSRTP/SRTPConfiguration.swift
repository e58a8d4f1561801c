/// How senders and receivers of SRTP work.
public struct SRTPConfiguration: Sendable, Hashable {
    /// What does the cryptography.
    public enum Engine: String, Sendable, Hashable, CaseIterable {
        /// The transforms of this module, on OpenSSL's ciphers.
        case openSSL
        /// libsrtp2. It has no Cryptex.
        case libsrtp
    }

    /// Whether header extensions and contributing sources are encrypted too (RFC 9335).
    public enum Cryptex: Sendable, Hashable {
        /// They stay in clear.
        case disabled
        /// A sender encrypts them; a receiver takes packets of both kinds.
        case enabled
        /// A sender encrypts them; a receiver refuses packets that show any.
        case required
    }

    /// What does the cryptography. ``Engine/openSSL`` by default, which is the faster one.
    public var engine: Engine = .openSSL

    /// How far behind the newest RTP packet of its stream a packet may arrive, in packets: 64 to 32,768, rounded up to a
    /// power of two (RFC 3711 section 3.3.2). 1,024 by default: a second of video at 10 Mbit/s, so that what was asked for
    /// again over a long way is not too old. Each receiving stream costs an eighth of this in bytes.
    public var replayWindow: Int = 1_024

    /// How many SSRCs a receiver keeps state for, RTP and RTCP each: 1 to 65,536, by default 1,024. Only authenticated
    /// packets take a place; those of further SSRCs are refused.
    public var maximumReceivingStreams: Int = 1_024

    /// How many SSRCs a sender keeps state for: 1 to 1,048,576, by default 16,384. Each costs some 32 bytes. A place is never
    /// given up, because an SSRC that begins anew under the same key would repeat its key stream.
    public var maximumSendingStreams: Int = 16_384

    /// Whether header extensions and contributing sources are encrypted too (RFC 9335). ``Cryptex/disabled`` by default.
    public var cryptex: Cryptex = .disabled

    /// The defaults.
    public init() {}

    /// The smallest and the largest replay window.
    static let replayWindows = 64...32_768

    /// The window's size as it is used.
    var replayWindowBits: Int {
        var bits = Self.replayWindows.lowerBound
        while bits < self.replayWindow, bits < Self.replayWindows.upperBound { bits *= 2 }
        return bits
    }

    func validate() throws(SRTPError) {
        guard Self.replayWindows.contains(self.replayWindow) else {
            throw SRTPError(.invalidConfiguration, "the replay window is from 64 to 32768 packets")
        }
        guard (1...65_536).contains(self.maximumReceivingStreams) else {
            throw SRTPError(.invalidConfiguration, "the limit of receiving streams is from 1 to 65536")
        }
        guard (1...1_048_576).contains(self.maximumSendingStreams) else {
            throw SRTPError(.invalidConfiguration, "the limit of sending streams is from 1 to 1048576")
        }
        guard self.cryptex == .disabled || self.engine != .libsrtp else {
            throw SRTPError(.invalidConfiguration, "libsrtp has no Cryptex")
        }
    }
}
