package import ArgumentParser
package import NIOSSL

/// Whom a program trusts that connects to servers over TLS.
package struct TrustOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Trust the authorities in this file instead of the system's.", valueName: "file"))
    package var ca: String?

    package init() {}

    /// TLS for it.
    ///
    /// - Throws: `ValidationError` if the file has no certificates.
    package var tls: TLSConfiguration {
        get throws {
            var configuration = TLSConfiguration.makeClientConfiguration()
            guard let ca = self.ca else { return configuration }
            guard let authorities = try? NIOSSLCertificate.fromPEMFile(ca), !authorities.isEmpty else {
                throw ValidationError("there are no certificates in \(ca)")
            }
            configuration.trustRoots = .certificates(authorities)
            return configuration
        }
    }
}
