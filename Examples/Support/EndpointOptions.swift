package import ArgumentParser
package import Logging
package import WebRTC

/// The port that a program's peers use.
package struct EndpointOptions: ParsableArguments {
    package init() {}

    @Option(
        help: ArgumentHelp(
            "Use this UDP port for all peers, 0 for a free one; an empty host is all addresses, loopback too.",
            valueName: "host:port"
        )
    )
    package var udp = HostPort(host: "", port: 0)

    @Option(
        help: ArgumentHelp(
            "Announce this address beside the local ones, for a server behind a one-to-one NAT. May be repeated.",
            valueName: "ip"
        )
    )
    package var announce: [String] = []

    /// The port for all peers.
    package func bind(_ logger: Logger) async throws -> WebRTCEndpoint {
        do {
            return try await WebRTCEndpoint.bind(self.configuration(logger))
        } catch {
            throw ValidationError("no peers can be served on UDP \(self.udp.text): \(error.message)")
        }
    }

    private func configuration(_ logger: Logger) -> WebRTCEndpoint.Configuration {
        var configuration = WebRTCEndpoint.Configuration()
        configuration.port = self.udp.port
        configuration.logger = logger
        // A browser on this machine may have nothing but loopback.
        configuration.addressPolicy.includesLoopback = true
        if !self.udp.host.isEmpty { configuration.addressPolicy.addresses = [self.udp.host] }
        configuration.addressPolicy.announcedAddresses = self.announce
        configuration.addressPolicy.announcedReplaceLocal = false
        return configuration
    }
}
