import NIOCore
public import NIOSSL

/// TLS to the external broker of a ``STOMPService``, which TLS 1.2 and later protect.
public struct STOMPRelayTLS: Sendable {
    /// The name that the broker's certificate must be for, and that it is told (SNI, RFC 6066 section 3); nil for
    /// ``RTCSignaling/STOMPRelayConfiguration/host``. Addresses are checked and not told.
    public var serverName: String?

    private let context: NIOSSLContext

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
        self.context = try NIOSSLContext(configuration: configuration)
    }

    /// Makes a connection to a broker speak TLS.
    func add(to channel: any Channel, host: String) throws {
        let name = self.serverName ?? host
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        let handler = try NIOSSLClientHandler(context: self.context, serverHostname: isAddress ? nil : name)
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
