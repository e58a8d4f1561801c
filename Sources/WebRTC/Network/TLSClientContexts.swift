import NIOSSL
import RTCCore
import RTCTLS
import Synchronization

/// The TLS contexts for servers, one for each set of trusted certificates: reading the system's takes milliseconds.
enum TLSClientContexts {
    private static let contexts = Mutex<[RTCIceServerTrust: TLSClientContext]>([:])
    /// A process uses one or two; a caller that makes up new ones for each connection pays for it.
    private static let limit = 16

    /// The context that trusts what `trust` says.
    ///
    /// - Throws: What NIOSSL throws for certificates that cannot be read.
    static func context(for trust: RTCIceServerTrust) throws -> TLSClientContext {
        if let known = Self.contexts.withLock({ $0[trust] }) { return known }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if case .certificates(let pem) = trust {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
        }
        let made = try TLSClientContext(configuration)
        Self.contexts.withLock { contexts in
            if contexts.count >= Self.limit { contexts = [:] }
            contexts[trust] = made
        }
        return made
    }
}
