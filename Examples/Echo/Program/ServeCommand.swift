import ArgumentParser
import Logging
import NIOCore
import NIOPosix
import WebRTC

/// `echo serve`: the page and the answering peer.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a page and answer offers; return every message.",
        discussion: """
            GET / is a page that sends messages. POST /offer takes {"type":"offer","sdp":"…"} and answers
            {"type":"answer","sdp":"…"} with all candidates. Runs until SIGINT or SIGTERM.
            """
    )

    @Option(help: ArgumentHelp("Listen for HTTP here; port 0 takes a free one.", valueName: "host:port"))
    var http = HostPort(host: "127.0.0.1", port: 8080)

    @Option(
        help: ArgumentHelp(
            "Use this UDP port for all peers, 0 for a free one; an empty host is all addresses, loopback too.",
            valueName: "host:port"
        )
    )
    var udp = HostPort(host: "", port: 0)

    @Option(
        help: ArgumentHelp(
            "Announce this address beside the local ones, for a server behind a one-to-one NAT. May be repeated.",
            valueName: "ip"
        )
    )
    var announce: [String] = []

    @Flag(help: "Log what peers do, to standard error.")
    var verbose = false

    func run() async throws {
        // Before anything that a signal would leave half done.
        let signal = TerminationSignal()
        let logger = self.makeLogger()
        let endpoint: WebRTCEndpoint
        do {
            endpoint = try await WebRTCEndpoint.bind(self.endpointConfiguration(logger))
        } catch {
            throw ValidationError("no peers can be served on UDP \(self.udp.text): \(error.message)")
        }
        let server = EchoServer(endpoint: endpoint, logger: logger)
        let routes = EchoRoutes(server: server)
        let http: HTTPServer
        do {
            http = try await HTTPServer(self.http, group: .singletonMultiThreadedEventLoopGroup) { request in
                await routes.respond(to: request)
            }
        } catch {
            await server.close()
            throw ValidationError("cannot listen for HTTP on \(self.http.text): \(error)")
        }
        await withDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            group.addTask { try? await http.run() }
            StandardOutput.write("Echoing data channel messages: \(self.url(of: http)) (UDP port \(endpoint.port))")
            await signal.wait()
            http.close()
            await server.close()
        }
    }

    private func endpointConfiguration(_ logger: Logger) -> WebRTCEndpoint.Configuration {
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

    private func makeLogger() -> Logger {
        var logger = Logger(label: "echo") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = self.verbose ? .debug : .warning
        return logger
    }

    private func url(of server: HTTPServer) -> String {
        let port = server.address?.port.flatMap(UInt16.init(exactly:)) ?? self.http.port
        let host = self.http.host.isEmpty ? "::" : self.http.host
        return "http://\(HostPort(host: host, port: port).text)/"
    }
}
