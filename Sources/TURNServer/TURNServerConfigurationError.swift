/// What is wrong with a ``TURNServerConfiguration``.
public enum TURNServerConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no listener.
    case noListeners
    /// This is no IP address.
    case notAnAddress(String)
    /// This is no port.
    case portOutOfRange(Int)
    /// A listener for TLS has no certificate.
    case missingCertificate(listener: String)
    /// The ports of relays are not within 1 to 65535.
    case relayPortsOutOfRange(ClosedRange<Int>)
    /// Two relay addresses are of one family.
    case severalRelayAddresses(String, String)
    /// An address that relays cannot be announced with: unspecified, or of the other family.
    case announcedAddress(String)
    /// Relays without credentials, and nobody said that everybody may relay.
    case noCredentials
    /// Credentials, and nowhere to relay.
    case credentialsWithoutRelays
    /// A realm, user name or password that OpaqueString refuses (RFC 8265); of a password the user's name is told.
    case unsuitableText(String)
    /// A shared secret is empty.
    case emptySecret
    /// A number is not within its range.
    case outOfRange(setting: String, Int)
    /// Behaviour discovery needs a first UDP listener of the family, and another address and port.
    case alternateAddress(String)

    /// What is wrong, and what to do.
    public var description: String {
        switch self {
        case .noListeners: "there is nothing to listen on: give at least one listener"
        case .notAnAddress(let text): "'\(text)' is no IP address; names are not looked up"
        case .portOutOfRange(let port): "\(port) is no port"
        case .missingCertificate(let listener): "the TLS listener on \(listener) needs a certificate and its key"
        case .relayPortsOutOfRange(let ports): "\(ports.lowerBound) to \(ports.upperBound) are no ports for relays"
        case .severalRelayAddresses(let first, let second):
            "\(first) and \(second) are of one family: relays have one address of each"
        case .announcedAddress(let text): "'\(text)' cannot be announced for its relay address"
        case .noCredentials: "relays need users, a shared secret or an authenticator"
        case .credentialsWithoutRelays: "there are credentials and no relay address"
        case .unsuitableText(let text): "'\(text)', or the password of that user, is empty or has forbidden characters"
        case .emptySecret: "a shared secret is empty"
        case .outOfRange(let setting, let number): "\(number) is out of range for \(setting)"
        case .alternateAddress(let text):
            "behaviour discovery needs a UDP listener and an address and port other than its own; '\(text)' will not do"
        }
    }
}

/// Why a ``TURNServer`` did not start.
public struct TURNServerStartError: Error, Sendable, CustomStringConvertible {
    /// What failed, and why.
    public let description: String
}
