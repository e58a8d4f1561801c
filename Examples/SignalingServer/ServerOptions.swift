import ArgumentParser
import Dispatch
import ExampleSupport
import Logging
import NIOCore
import RTCSignaling
import RTCSignalingServer

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Options of the server itself.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Serve TLS with this certificate chain; read again on SIGHUP.", valueName: "pem"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key.", valueName: "pem"))
    var tlsKey: String?

    @Flag(help: "Compress messages of WebSockets where the client can.")
    var compress = false

    @Option(help: ArgumentHelp("Compress messages from this size on.", valueName: "bytes"))
    var compressFrom = WebSocketDeflateConfiguration().minimumSize

    @Option(help: ArgumentHelp("The largest message of a WebSocket.", valueName: "bytes"))
    var maximumMessage = WebSocketConfiguration().maximumMessageSize

    @Option(help: ArgumentHelp("Serve the files of this folder under /static.", valueName: "folder"))
    var files: String?

    @Flag(name: .customLong("refuse-websockets"), help: "Refuse to open WebSockets, as some proxies do.")
    var refuseWebSockets = false

    @Option(
        help: ArgumentHelp("How long clients have to take their leave when the server stops.", valueName: "seconds")
    )
    var drain: Int64 = 5

    @Option(help: ArgumentHelp("How much is logged.", valueName: "level"))
    var logLevel = "warning"

    func validate() throws {
        guard (self.tlsCertificate == nil) == (self.tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together")
        }
        guard Logger.Level(rawValue: self.logLevel) != nil else {
            throw ValidationError(
                "--log-level is one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        guard self.drain >= 0, self.maximumMessage > 0 else { throw ValidationError("a number is too small") }
    }

    func configuration() throws -> SignalingServerConfiguration {
        var configuration = SignalingServerConfiguration()
        configuration.drainTimeout = .seconds(self.drain)
        configuration.maximumUnsentBytes = max(configuration.maximumUnsentBytes, 4 * self.maximumMessage)
        configuration.logger = Logger(label: "signaling-server")
        configuration.logger.logLevel = Logger.Level(rawValue: self.logLevel) ?? .warning
        if let certificate = self.tlsCertificate, let key = self.tlsKey {
            do {
                configuration.tls = try SignalingTLS(certificateChainFile: certificate, privateKeyFile: key)
            } catch {
                throw ValidationError("cannot use the certificate: \(error)")
            }
        }
        return configuration
    }

    /// Limits and times of WebSockets.
    var webSocket: WebSocketConfiguration {
        var configuration = WebSocketConfiguration()
        configuration.maximumMessageSize = self.maximumMessage
        configuration.maximumFrameSize = self.maximumMessage
        configuration.maximumUnsentBytes = max(configuration.maximumUnsentBytes, 4 * self.maximumMessage)
        if self.compress {
            configuration.deflate = WebSocketDeflateConfiguration()
            configuration.deflate?.minimumSize = self.compressFrom
        }
        return configuration
    }

    /// Reads certificates again at each SIGHUP, which from then on does not end the process; nil where there are none.
    func reloadsOnHangUp(_ tls: SignalingTLS?) -> (any DispatchSourceSignal)? {
        guard let tls else { return nil }
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler {
            do {
                try tls.reload()
                StandardOutput.write("Certificates read again")
            } catch {
                StandardOutput.write("Certificates kept: \(error)")
            }
        }
        source.resume()
        return source
    }
}
