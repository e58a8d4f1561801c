import ArgumentParser
import ExampleSupport
import Logging
import NIOSSL
import RTCFileTransfer
import RTCSignaling
import RTCSignalingClient
import WebRTC

/// How the two sides find each other.
struct WayOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Meet on this server: signaling-server, or the sender's own.", valueName: "url")
    )
    var http: String?

    @Option(
        help: ArgumentHelp("Trust the authorities in this file for that server, not the system's.", valueName: "pem")
    )
    var ca: String?

    @Option(help: ArgumentHelp("Use this STUN server. May be repeated.", valueName: "stun:host"))
    var stun: [String] = []

    @Option(
        help: ArgumentHelp(
            "Use this TURN server where there is no direct way. May be repeated.",
            valueName: "turn:host"
        )
    )
    var turn: [String] = []

    @Option(help: ArgumentHelp("The user name for the TURN servers.", valueName: "name"))
    var turnUser: String?

    @Option(help: ArgumentHelp("The password for the TURN servers.", valueName: "password"))
    var turnPassword: String?

    @Flag(help: "Use relays only, so that the other side does not learn this side's addresses.")
    var relayOnly = false

    @Flag(help: "Log what connections do, to standard error.")
    var verbose = false

    func validate() throws {
        if let http = self.http, !http.hasPrefix("http://"), !http.hasPrefix("https://") {
            throw ValidationError("--http is an http:// or https:// URL")
        }
        guard self.ca == nil || self.http?.hasPrefix("https://") == true else {
            throw ValidationError("--ca goes with --http https://...")
        }
        if let ca = self.ca {
            do {
                _ = try NIOSSLCertificate.fromPEMFile(ca)
            } catch {
                throw ValidationError("cannot read the authorities in \(ca): \(error)")
            }
        }
        guard self.turn.isEmpty || (self.turnUser != nil && self.turnPassword != nil) else {
            throw ValidationError("--turn needs --turn-user and --turn-password")
        }
        guard !self.relayOnly || !self.turn.isEmpty else { throw ValidationError("--relay-only needs --turn") }
    }

    var configuration: FileTransferConfiguration {
        var configuration = FileTransferConfiguration()
        if !self.stun.isEmpty { configuration.iceServers.append(RTCIceServer(urls: self.stun)) }
        if !self.turn.isEmpty {
            configuration.iceServers.append(
                RTCIceServer(urls: self.turn, username: self.turnUser, credential: self.turnPassword)
            )
        }
        if self.relayOnly { configuration.iceTransportPolicy = .relay }
        if self.verbose {
            var logger = Logger(label: "file-transfer") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = .debug
            configuration.logger = logger
        }
        return configuration
    }

    /// Connects to the mailbox of a server.
    func connector(
        to server: String
    ) -> @Sendable () async throws(SignalingChannelError) -> any SignalingChannel {
        let base = server.hasSuffix("/") ? String(server.dropLast()) : server
        // http becomes ws, and https wss.
        let url = "ws" + base.dropFirst(4) + "/mailbox"
        var configuration = WebSocketClientConfiguration()
        if let ca = self.ca { configuration.tls.trustRoots = .file(ca) }
        return { [configuration] () async throws(SignalingChannelError) -> any SignalingChannel in
            try await WebSocketClient.connect(to: url, configuration: configuration)
        }
    }
}
