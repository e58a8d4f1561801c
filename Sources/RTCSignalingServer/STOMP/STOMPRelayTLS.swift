import NIOCore
public import NIOSSL
import RTCTLS

/// TLS to the external broker of a ``STOMPService``, which TLS 1.2 and later protect.
public struct STOMPRelayTLS: Sendable {
    /// The name that the broker's certificate must be for, and that it is told (SNI, RFC 6066 section 3); nil for
    /// ``RTCSignaling/STOMPRelayConfiguration/host``. A name is compared with the certificate's names, whatever address it leads to. An
    /// address is not told, and must be the one that is connected to.
    public var serverName: String?

    private let context: TLSClientContext

    /// TLS that trusts the system's certification authorities, or those of a file alone.
    ///
    /// - Parameters:
    ///   - trustRootsFile: Certificates of authorities in PEM form; nil for the system's.
    /// - Throws: What NIOSSL says of a file that cannot be read.
    public init(trustRootsFile: String? = nil) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let trustRootsFile {
            // Read here, since a file that is not there would show with the first connection only.
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(trustRootsFile))
        }
        try self.init(configuration)
    }

    /// TLS as it is configured: trust, certificates of this side, verification.
    ///
    /// - Throws: What NIOSSL says of a configuration that cannot be.
    public init(_ configuration: TLSConfiguration) throws {
        self.context = try TLSClientContext(configuration)
    }

    /// Makes a connection to a broker speak TLS.
    func add(to channel: any Channel, host: String) throws {
        let name = self.serverName ?? host
        try channel.pipeline.syncOperations.addHandler(self.context.makeHandler(host: name))
    }
}
