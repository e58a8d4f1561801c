import Foundation
import NIOCore
import RTCBase
import RTCSockets

/// A TURN server in a process of its own, whose processor time is measured.
struct RelayServer {
    enum Kind: String, CaseIterable {
        /// This repository's `turn-server`.
        case ours
        /// coturn's `turnserver`.
        case coturn
    }

    let kind: Kind
    let address: TransportAddress
    private let process: Process

    static let user = "bench"
    static let password = "bench"

    /// Starts a server and waits until it answers.
    init(_ kind: Kind, program: String, allocations: Int) throws {
        self.kind = kind
        let free = try DatagramSocket(boundTo: TransportAddress(ipv4: 0x7F00_0001, port: 0), for: .relay)
        self.address = free.address
        free.close()
        self.process = Process()
        self.process.executableURL = URL(fileURLWithPath: program)
        self.process.arguments = Self.arguments(kind, port: self.address.port, allocations: allocations)
        self.process.standardOutput = FileHandle.nullDevice
        self.process.standardError = FileHandle.nullDevice
        do {
            try self.process.run()
        } catch {
            throw BenchFailure("\(program) cannot be started: \(error)")
        }
    }

    private static func arguments(_ kind: Kind, port: UInt16, allocations: Int) -> [String] {
        switch kind {
        case .ours:
            return [
                "--listen", "127.0.0.1", "--port", "\(port)", "--user", "\(self.user):\(self.password)",
                "--allow-peer", "127.0.0.0/8", "--allocations", "\(allocations + 10)", "--user-allocations",
                "\(allocations + 10)", "--unauthenticated-responses", "1000000",
            ]
        case .coturn:
            return [
                "-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", "\(port)", "-a", "-u",
                "\(self.user):\(self.password)", "-r", "localhost", "--allow-loopback-peers", "--no-cli", "--no-tls",
                "--no-dtls", "--log-file", "stdout", "--pidfile", "/dev/null",
            ]
        }
    }

    /// What the system says of it.
    var statistics: ProcessStatistics { ProcessStatistics(self.process.processIdentifier) }

    /// Ends the server at once: it has nothing to tidy up, and the signals that ask may be blocked in a child.
    func stop() {
        _ = kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }
}
