import ExampleSupport
import NIOSSL
import RTCBase
import RTCTURN
import TURNServer

/// What the program does, made of settings by name.
struct ProgramSettings {
    let configuration: TURNServerConfiguration
    let host: String?
    let drainSeconds: Int64
    let isVerbose: Bool
    /// Whether the secret is one that nobody knows.
    let printsCredential: Bool

    /// The settings that environment and file may have.
    static let names = [
        "listen", "port", "tls-port", "certificate", "key", "relay", "announce", "relay-ports", "realm", "user",
        "shared-secret", "allow-peer", "deny-peer", "allocations", "user-allocations", "bandwidth", "alternate",
        "alternate-port", "threads", "host", "drain", "stun-only", "verbose",
    ]

    init(_ values: [String: [String]]) throws {
        let reader = SettingsReader(values: values)
        let addresses = values["listen"] ?? ["0.0.0.0"]
        let isSTUNOnly = try reader.flag("stun-only")
        var configuration = TURNServerConfiguration(listeners: try Self.listeners(addresses, reader))
        if !isSTUNOnly {
            configuration.relayAddresses = try Self.relays(addresses, values)
            configuration.users = try Self.users(values["user"] ?? [])
            configuration.sharedSecrets = values["shared-secret"] ?? []
        }
        let isUnknown = !isSTUNOnly && configuration.users.isEmpty && configuration.sharedSecrets.isEmpty
        if isUnknown {
            var random = RandomSource.system
            configuration.sharedSecrets = [random.iceCharacters(count: 32)]
        }
        configuration.realm = reader.text("realm") ?? "localhost"
        configuration.relayPorts = try reader.ports("relay-ports") ?? configuration.relayPorts
        configuration.allowedPeers = try reader.ranges("allow-peer")
        configuration.deniedPeers = try reader.ranges("deny-peer")
        configuration.limits.allocations = try reader.number("allocations") ?? configuration.limits.allocations
        configuration.limits.allocationsPerUser =
            try reader.number("user-allocations") ?? configuration.limits.allocationsPerUser
        configuration.bytesPerSecondPerAllocation = try reader.number("bandwidth")
        configuration.alternateAddress = reader.text("alternate")
        configuration.alternatePort = try reader.number("alternate-port") ?? configuration.alternatePort
        configuration.threads = try reader.number("threads")
        self.configuration = configuration
        self.host = reader.text("host")
        self.drainSeconds = Int64(try reader.number("drain") ?? 0)
        self.isVerbose = try reader.flag("verbose")
        self.printsCredential = isUnknown
    }

    private static func listeners(
        _ addresses: [String],
        _ reader: SettingsReader
    ) throws -> [TURNServerConfiguration.Listener] {
        let port = try reader.number("port") ?? 3478
        var listeners = addresses.flatMap { address in
            [TURNTransport.udp, .tcp].map { TURNServerConfiguration.Listener($0, address: address, port: port) }
        }
        guard let certificate = reader.text("certificate"), let key = reader.text("key") else { return listeners }
        let tls: TLSConfiguration
        do {
            tls = .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            )
        } catch {
            throw ExampleFailure("certificate or key cannot be used: \(error)")
        }
        let tlsPort = try reader.number("tls-port") ?? 5349
        listeners += addresses.map { .init(.tls, address: $0, port: tlsPort, tls: tls) }
        return listeners
    }

    /// The addresses of relays: those given, or the first that is listened on of each family.
    private static func relays(
        _ listening: [String],
        _ values: [String: [String]]
    ) throws -> [TURNServerConfiguration.RelayAddress] {
        let announced = values["announce"] ?? []
        var families: Set<TransportAddress.Family> = []
        return (values["relay"] ?? listening).compactMap { text in
            guard let address = TransportAddress(ip: text, port: 0) else {
                return TURNServerConfiguration.RelayAddress(text)
            }
            guard families.insert(address.family).inserted else { return nil }
            let bound = address.isUnspecified ? HostAddress.first(of: address.family) ?? text : text
            let announced = announced.first { TransportAddress(ip: $0, port: 0)?.family == address.family }
            return TURNServerConfiguration.RelayAddress(bound, announced: announced)
        }
    }

    private static func users(_ texts: [String]) throws -> [String: String] {
        var users: [String: String] = [:]
        for text in texts {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw ExampleFailure("a user is given as name:password") }
            users[String(parts[0])] = String(parts[1])
        }
        return users
    }
}

/// Reads settings of one kind or another.
struct SettingsReader {
    let values: [String: [String]]

    func text(_ name: String) -> String? { self.values[name]?.last }

    func number(_ name: String) throws -> Int? {
        guard let text = self.text(name) else { return nil }
        guard let number = Int(text) else { throw ExampleFailure("\(name): '\(text)' is no number") }
        return number
    }

    func flag(_ name: String) throws -> Bool {
        guard let text = self.text(name) else { return false }
        guard let flag = ["true": true, "1": true, "yes": true, "false": false, "0": false, "no": false][text] else {
            throw ExampleFailure("\(name): '\(text)' is neither true nor false")
        }
        return flag
    }

    func ports(_ name: String) throws -> ClosedRange<Int>? {
        guard let text = self.text(name) else { return nil }
        let ends = text.split(separator: "-").compactMap { Int($0) }
        guard ends.count == 2, ends[0] <= ends[1] else { throw ExampleFailure("\(name): '\(text)' is no range") }
        return ends[0]...ends[1]
    }

    func ranges(_ name: String) throws -> [TURNAddressRange] {
        try (self.values[name] ?? []).map { text in
            guard let range = TURNAddressRange(text) else { throw ExampleFailure("\(name): '\(text)' is no range") }
            return range
        }
    }
}
