package import ArgumentParser
package import Logging
import NIOCore
import NIOPosix
package import WebRTC

/// How a program listens: for HTTP, and for its peers.
package struct ServeOptions: ParsableArguments {
    package init() {}

    @Option(help: ArgumentHelp("Listen for HTTP here; port 0 takes a free one.", valueName: "host:port"))
    package var http = HostPort(host: "127.0.0.1", port: 8080)

    @OptionGroup package var endpoint: EndpointOptions

    @Flag(help: "Log what peers do, to standard error.")
    package var verbose = false

    /// Serves a page and answers offers until SIGINT or SIGTERM.
    ///
    /// - Parameters:
    ///   - what: What the program does, for the line that says where.
    ///   - prepare: Makes a connection ready that has its offer and will be answered next.
    ///   - serve: Follows a connection until its peer is gone.
    package func serve(
        _ what: String,
        page: String,
        prepare: @escaping @Sendable (RTCPeerConnection) async throws -> Void,
        serve: @escaping @Sendable (RTCPeerConnection) async -> Void
    ) async throws {
        // Before anything that a signal would leave half done.
        let signal = TerminationSignal()
        let logger = self.makeLogger()
        let endpoint = try await self.endpoint.bind(logger)
        let server = PeerServer(endpoint: endpoint, logger: logger, prepare: prepare, serve: serve)
        let routes = OfferRoutes(server: server, page: page)
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
            StandardOutput.write("\(what): \(self.url(of: http)) (UDP port \(endpoint.port))")
            await signal.wait()
            http.close()
            await server.close()
        }
    }

    /// What the program logs to.
    package func makeLogger() -> Logger {
        var logger = Logger(label: "peers") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = self.verbose ? .debug : .warning
        return logger
    }

    private func url(of server: HTTPServer) -> String { self.url(port: server.address?.port) }

    /// The URL of a server that listens where the options say.
    ///
    /// - Parameter port: The real port.
    package func url(port: Int?) -> String {
        let port = port.flatMap(UInt16.init(exactly:)) ?? self.http.port
        let host = self.http.host.isEmpty ? "::" : self.http.host
        return "http://\(HostPort(host: host, port: port).text)/"
    }
}
