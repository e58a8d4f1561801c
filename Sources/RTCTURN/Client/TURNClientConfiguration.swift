public import NIOCore
public import RTCBase
public import RTCSTUN

/// What a ``TURNClient`` asks for, and how patiently.
public struct TURNClientConfiguration: Sendable, Hashable {
    /// The families of relayed addresses to ask for (RFC 8656 section 7.1).
    public enum Families: Sendable, Hashable {
        /// One IPv4 address.
        case ipv4
        /// One IPv6 address.
        case ipv6
        /// One of each, or one of IPv4 where the server has no other (ADDITIONAL-ADDRESS-FAMILY).
        case both
    }

    /// The user name.
    public var username: String
    /// The password. It is in no description.
    public var password: String
    /// Whether the server is reached over TCP or TLS: nothing is sent twice then, and ChannelData is padded. Default
    /// `false`.
    public var isReliable: Bool
    /// Which relayed addresses to ask for. Default ``Families/both``.
    public var families = Families.both
    /// The lifetime to ask for, in seconds; `nil` leaves it to the server. Default 600, which is what RFC 8656 section 3.2
    /// has too: some servers keep to their own limits only when asked.
    public var lifetime: UInt32? = 600
    /// The repetitions of a request over UDP. Default 5 transmissions and 9.5 s in all.
    public var timing = STUNTransaction.Timing(transmissions: 5, finalWait: 4)
    /// How long the allocation may take in all. Default 10 s.
    public var timeLimit: TimeAmount = .seconds(10)
    /// The most IP addresses with permissions. Default 128.
    public var maximumPermissions = 128
    /// The most channels. Default 64.
    public var maximumChannels = 64
    /// The most datagrams that wait for permissions. Default 64; more are dropped and counted.
    public var maximumWaiting = 64

    /// A configuration with the credentials that the server's operator gave.
    public init(username: String, password: String, isReliable: Bool = false) {
        self.username = username
        self.password = password
        self.isReliable = isReliable
    }
}

extension TURNClientConfiguration: CustomStringConvertible, CustomReflectable {
    /// The user name; never the password.
    public var description: String { "TURNClientConfiguration(username: \(self.username))" }
    /// The user name; never the password.
    public var customMirror: Mirror { Mirror(self, children: ["username": self.username]) }
}

/// Addresses at a relay (RFC 8656 section 3.2).
public struct TURNRelayedAddresses: Sendable, Hashable {
    /// The relayed addresses: one, or one of each family.
    public var relayed: [TransportAddress]
    /// This side's address as the server sees it.
    public var mapped: TransportAddress?
}

/// Why there is no allocation, or no longer one.
public struct TURNFailure: Error, Sendable, Hashable {
    /// The server's STUN error code, or 701 if no answer came (W3C webrtc-pc section 4.8.3).
    public var code: Int
    /// The server's words, or this side's.
    public var text: String

    /// A failure.
    public init(code: Int, text: String) {
        self.code = code
        self.text = text
    }

    /// The code for servers that do not answer.
    public static let unreachable = 701
}
