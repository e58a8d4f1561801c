import ArgumentParser
import ExampleSupport
import NIOCore
import RTCBase
import RTCSignaling
import RTCSignalingServer
import RTCWHIP
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

    @Option(
        help: ArgumentHelp("The bearer token that publishers need; a random one if none is given.", valueName: "text")
    )
    var token: String?

    @Option(help: ArgumentHelp("The bearer token that viewers need; none if none is given.", valueName: "text"))
    var viewToken: String?

    @Option(
        help: ArgumentHelp(
            "Tell clients of this STUN or TURN server; a TURN server with its user and password, separated by commas.",
            valueName: "url[,user,password]"
        )
    )
    var iceServer: [ICEServerArgument] = []

    @Flag(help: "Answer viewers' offers with one of the server's own (406).")
    var counterOffers = false

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
        let endpoint = try await self.options.bindEndpoint(self.options.makeLogger())
        let streams = LiveStreams()
        let token = self.token ?? Self.randomToken()
        let whip = WHIPService(
            path: "/whip",
            endpoint: endpoint,
            streams: streams,
            configuration: self.configuration(token: token)
        )
        let whep = WHEPService(
            path: "/whep",
            endpoint: endpoint,
            streams: streams,
            negotiation: self.counterOffers ? .counterOffers : .answers,
            configuration: self.configuration(token: self.viewToken)
        )
        let server = try await self.bind(whip, whep)
        await withDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            let plain = self.options.url(port: server.address.port)
            let url = self.tlsKey == nil ? plain : "https" + plain.dropFirst(4)
            StandardOutput.write("Publish to \(url)whip/NAME with the token \(token), watch \(url)whep/NAME")
            StandardOutput.write("WHIP and WHEP: \(url) (UDP port \(endpoint.port))")
            await signal.wait()
            await whip.close()
            await whep.close()
            server.shutdown()
            await endpoint.close()
        }
    }

    private func bind(_ whip: WHIPService, _ whep: WHEPService) async throws -> SignalingServer {
        var routes = SignalingRoutes()
        let page = SignalingResponse(200, headers: ["content-type": "text/html; charset=utf-8"], text: Page.html)
        routes.http("/") { _ in page }
        routes.http(prefix: "/whip") { await whip.respond(to: $0) }
        routes.http(prefix: "/whep") { await whep.respond(to: $0) }
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

    private func configuration(token: String?) -> WHIPServiceConfiguration {
        var configuration = WHIPServiceConfiguration()
        let servers = self.iceServer.map(\.server)
        configuration.iceServers = { _ in servers }
        if let token {
            configuration.authorize = { $0.token?.matches(token) == true ? nil : .unauthorized }
        }
        return configuration
    }

    private static func randomToken() -> String {
        var random = RandomSource.system
        return random.bytes(count: 16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
