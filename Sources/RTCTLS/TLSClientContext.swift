package import NIOCore
package import NIOSSL

/// TLS of this side for connections to servers, whose certificates have to be for the hosts asked for (``ServerIdentity``).
package struct TLSClientContext: Sendable {
    private let context: NIOSSLContext
    private let isVerifyingNames: Bool

    /// - Parameter configuration: Names are compared if its `certificateVerification` is `fullVerification`, the default.
    /// - Throws: What NIOSSL says of a configuration that cannot be.
    package init(_ configuration: TLSConfiguration) throws {
        self.context = try NIOSSLContext(configuration: configuration)
        self.isVerifyingNames = configuration.isVerifyingNames
    }

    /// Makes the handler of one connection.
    ///
    /// - Parameter host: Whom the certificate must be for, a name or an address. Names are told to the server, addresses are not.
    /// - Throws: What NIOSSL says of names that cannot be.
    package func makeHandler(host: String) throws -> NIOSSLClientHandler {
        let identity = ServerIdentity(host: host)
        let name = identity.isAddress ? nil : host
        guard self.isVerifyingNames else { return try NIOSSLClientHandler(context: self.context, serverHostname: name) }
        // Nothing is sent before this is done: who would look at the certificate when the handshake is over comes after the first data.
        return try NIOSSLClientHandler._makeSSLClientHandler(context: self.context, serverHostname: name) {
            (certificate, channel) in
            identity.matches(certificate)
                ? channel.eventLoop.makeSucceededVoidFuture()
                : channel.eventLoop.makeFailedFuture(NIOSSLExtraError.failedToValidateHostname)
        }
    }
}

extension TLSConfiguration {
    /// Whether the certificate of a server must be for the host asked for.
    package var isVerifyingNames: Bool { self.certificateVerification == .fullVerification }
}

extension ServerIdentity {
    /// Compares the certificate of a connection whose handshake is over and which has carried nothing yet, for a library that makes
    /// its handlers itself. Without TLS there is nothing to compare.
    ///
    /// On its event loop.
    ///
    /// - Returns: Fails when the certificate is for another; then the connection is closed.
    package func verify(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self) else {
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        if let certificate = handler.peerCertificate, self.matches(certificate) {
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        // Who waits is to learn the reason before the connection ends.
        channel.eventLoop.execute { channel.close(promise: nil) }
        return channel.eventLoop.makeFailedFuture(NIOSSLExtraError.failedToValidateHostname)
    }
}
