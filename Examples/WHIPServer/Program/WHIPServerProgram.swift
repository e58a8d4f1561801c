import ArgumentParser
import ExampleSupport
import LiveRoutes
import NIOCore
import RTCSignalingServer
import WebRTC

/// Takes streams by WHIP and gives them by WHEP.
@main
struct WHIPServerProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whip-server",
        abstract: "Take streams by WHIP and pass them on by WHEP.",
        discussion: """
            A browser, OBS or any other WHIP client publishes under /whip/NAME, with the token that is printed; WHEP players watch
            under /whep/NAME. GET / is a page that does both. Media is passed on packet by packet: nothing is decoded or encoded.
            Runs until SIGINT or SIGTERM.
            """
    )

    @OptionGroup var live: LiveOptions

    @Option(help: ArgumentHelp("Serve TLS with this certificate chain.", valueName: "pem"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key.", valueName: "pem"))
    var tlsKey: String?

    @OptionGroup var options: ServeOptions

    func validate() throws {
        guard (self.tlsCertificate == nil) == (self.tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together")
        }
    }

    func run() async throws {
        // Before anything that a signal would leave half done.
        let signal = TerminationSignal()
        let endpoint = try await self.options.endpoint.bind(self.options.makeLogger())
        let live = LiveServices(self.live, endpoint: endpoint)
        let server = try await self.bind(live)
        await withDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            let plain = self.options.url(port: server.address.port)
            let url = self.tlsKey == nil ? plain : "https" + plain.dropFirst(4)
            StandardOutput.write(live.invitation(url))
            StandardOutput.write("WHIP and WHEP: \(url) (UDP port \(endpoint.port))")
            await signal.wait()
            await live.close()
            server.shutdown()
            await endpoint.close()
        }
    }

    private func bind(_ live: LiveServices) async throws -> SignalingServer {
        var routes = SignalingRoutes()
        live.serve(on: &routes, page: "/")
        var configuration = SignalingServerConfiguration()
        configuration.host = self.options.http.host.isEmpty ? "::" : self.options.http.host
        configuration.port = Int(self.options.http.port)
        do {
            if let certificate = self.tlsCertificate, let key = self.tlsKey {
                configuration.tls = try SignalingTLS(certificateChainFile: certificate, privateKeyFile: key)
            }
            return try await SignalingServer.bind(routes, configuration: configuration)
        } catch {
            throw ValidationError("cannot serve HTTP on \(self.options.http.text): \(error)")
        }
    }
}
