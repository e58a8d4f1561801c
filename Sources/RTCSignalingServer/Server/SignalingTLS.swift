public import NIOSSL
import Synchronization

/// The certificates of a signalling server, which can be exchanged while it runs.
///
/// Everything may be called from anywhere. Connections keep what they began with.
public final class SignalingTLS: Sendable {
    /// Where certificates come from.
    private enum Source: Sendable {
        case files(certificateChain: String, privateKey: String)
        case configuration
    }

    /// A context for each choice of protocols.
    private struct Contexts: Sendable {
        var both: NIOSSLContext
        var http1: NIOSSLContext

        init(_ configuration: TLSConfiguration) throws {
            var configuration = configuration
            configuration.applicationProtocols = ["http/1.1"]
            self.http1 = try NIOSSLContext(configuration: configuration)
            configuration.applicationProtocols = ["h2", "http/1.1"]
            self.both = try NIOSSLContext(configuration: configuration)
        }
    }

    private let source: Source
    private let current: Mutex<Contexts>

    /// TLS 1.2 and later with a chain and a key from files in PEM form.
    ///
    /// - Throws: What NIOSSL says of files that cannot be read or do not fit.
    public init(certificateChainFile: String, privateKeyFile: String) throws {
        self.source = .files(certificateChain: certificateChainFile, privateKey: privateKeyFile)
        self.current = Mutex(try Contexts(Self.configuration(certificateChainFile, privateKeyFile)))
    }

    /// TLS as it is configured; the protocols of ALPN are the server's.
    public init(_ configuration: TLSConfiguration) throws {
        self.source = .configuration
        self.current = Mutex(try Contexts(configuration))
    }

    /// Reads the files again; connections from now on get what is in them.
    ///
    /// Does nothing where the certificates are from a configuration. When it throws, what was there is kept.
    public func reload() throws {
        guard case .files(let chain, let key) = self.source else { return }
        try self.replace(with: Self.configuration(chain, key))
    }

    /// Takes another configuration for connections from now on.
    public func replace(with configuration: TLSConfiguration) throws {
        let contexts = try Contexts(configuration)
        self.current.withLock { $0 = contexts }
    }

    /// What a new connection gets.
    func context(hasHTTP2: Bool) -> NIOSSLContext { self.current.withLock { hasHTTP2 ? $0.both : $0.http1 } }

    private static func configuration(_ chain: String, _ key: String) throws -> TLSConfiguration {
        let certificates = try NIOSSLCertificate.fromPEMFile(chain).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates,
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }
}
