import ArgumentParser
import ExampleSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The command line, the environment and the file, each setting by its name.
struct ProgramOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Listen here; may be repeated. Default: all addresses.", valueName: "ip"))
    var listen: [String] = []
    @Option(help: "Listen on this port over UDP and TCP; 0 takes a free one. Default: 3478.")
    var port: String?
    @Option(help: "Listen on this port over TLS. Default: 5349, if there is a certificate.")
    var tlsPort: String?
    @Option(help: ArgumentHelp("The certificate chain for TLS.", valueName: "file"))
    var certificate: String?
    @Option(help: ArgumentHelp("The certificate's key.", valueName: "file"))
    var key: String?
    @Option(help: ArgumentHelp("Bind relays here, one of each family. Default: as --listen.", valueName: "ip"))
    var relay: [String] = []
    @Option(help: ArgumentHelp("Announce relays with this address, behind a one-to-one NAT.", valueName: "ip"))
    var announce: [String] = []
    @Option(help: ArgumentHelp("The ports of relays. Default: 49152-65535.", valueName: "from-to"))
    var relayPorts: String?
    @Option(help: "The realm. Default: localhost.")
    var realm: String?
    @Option(help: ArgumentHelp("A user; may be repeated.", valueName: "name:password"))
    var user: [String] = []
    @Option(
        help:
            "The secret of time-limited credentials. Default, without users: a random one, and a credential is printed."
    )
    var sharedSecret: String?
    @Option(help: ArgumentHelp("Let clients reach these peers though they are not on the internet.", valueName: "cidr"))
    var allowPeer: [String] = []
    @Option(help: ArgumentHelp("Let clients not reach these peers.", valueName: "cidr"))
    var denyPeer: [String] = []
    @Option(help: "Allocations at a time. Default: 10000.")
    var allocations: String?
    @Option(help: "Allocations of one user. Default: 100.")
    var userAllocations: String?
    @Option(
        help: ArgumentHelp("Bytes a second of one allocation in each direction. Default: no limit.", valueName: "bytes")
    )
    var bandwidth: String?
    @Option(help: ArgumentHelp("A second address, for behaviour discovery (RFC 5780).", valueName: "ip"))
    var alternate: String?
    @Option(help: "The second port for behaviour discovery. Default: 3479.")
    var alternatePort: String?
    @Option(
        help: ArgumentHelp(
            "Responses a second to one address without valid credentials. Default: 500.",
            valueName: "number"
        )
    )
    var unauthenticatedResponses: String?
    @Option(help: "Threads for UDP and relays. Default: one for each processor.")
    var threads: String?
    @Option(
        help: ArgumentHelp(
            "Rest so long between looks at busy sockets; delays datagrams as long at most. Default: 500.",
            valueName: "microseconds"
        )
    )
    var wakeupPause: String?
    @Option(help: ArgumentHelp("Print URIs with this name in place of addresses.", valueName: "name"))
    var host: String?
    @Option(
        help: ArgumentHelp("Wait so long for allocations to end when told to stop. Default: 0.", valueName: "seconds")
    )
    var drain: String?
    @Option(help: ArgumentHelp("Read settings from here.", valueName: "file"))
    var config: String?
    @Flag(help: "No relaying: a STUN server.")
    var stunOnly = false
    @Flag(help: "Log allocations, to standard error.")
    var verbose = false

    /// All settings by name, each from where it is given first.
    func settings() throws -> ProgramSettings {
        var values = try self.config.map { try SettingsFile.read($0) } ?? [:]
        values.merge(Self.environment()) { _, new in new }
        values.merge(self.given) { _, new in new }
        return try ProgramSettings(values)
    }

    private var given: [String: [String]] {
        let single: [(String, String?)] = [
            ("port", self.port), ("tls-port", self.tlsPort), ("certificate", self.certificate), ("key", self.key),
            ("relay-ports", self.relayPorts), ("realm", self.realm), ("shared-secret", self.sharedSecret),
            ("allocations", self.allocations), ("user-allocations", self.userAllocations),
            ("bandwidth", self.bandwidth), ("alternate", self.alternate), ("alternate-port", self.alternatePort),
            ("unauthenticated-responses", self.unauthenticatedResponses), ("threads", self.threads),
            ("wakeup-pause", self.wakeupPause),
            ("host", self.host), ("drain", self.drain),
            ("stun-only", self.stunOnly ? "true" : nil), ("verbose", self.verbose ? "true" : nil),
        ]
        let several: [(String, [String])] = [
            ("listen", self.listen), ("relay", self.relay), ("announce", self.announce), ("user", self.user),
            ("allow-peer", self.allowPeer), ("deny-peer", self.denyPeer),
        ]
        var given = Dictionary(uniqueKeysWithValues: several.filter { !$0.1.isEmpty })
        for (name, value) in single { given[name] = value.map { [$0] } }
        return given
    }

    /// What the environment says; a setting that may be repeated has its values apart by commas.
    private static func environment() -> [String: [String]] {
        var values: [String: [String]] = [:]
        for name in ProgramSettings.names {
            let variable = "TURN_" + name.uppercased().replacing("-", with: "_")
            guard let value = getenv(variable) else { continue }
            values[name] = String(cString: value).split(separator: ",").map(String.init)
        }
        return values
    }
}

/// A file of lines `name = value`; lines that begin with `#` are comments.
enum SettingsFile {
    static func read(_ path: String) throws -> [String: [String]] {
        guard let file = fopen(path, "r") else { throw ExampleFailure("\(path) cannot be read") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk.prefix(count) }
        return try self.parse(String(decoding: bytes, as: UTF8.self), path)
    }

    private static func parse(_ text: String, _ path: String) throws -> [String: [String]] {
        var values: [String: [String]] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingPrefix(while: \.isWhitespace) }
            guard let first = parts.first, !first.isEmpty, !first.hasPrefix("#") else { continue }
            let name = first.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard parts.count == 2, ProgramSettings.names.contains(name) else {
                throw ExampleFailure("\(path), line \(index + 1): '\(name)' is no setting with a value")
            }
            let value = String(parts[1].reversed().trimmingPrefix(while: \.isWhitespace).reversed())
            values[name, default: []].append(value)
        }
        return values
    }
}
