import ArgumentParser
import Dispatch
import ExampleSupport
import FilesPage
import NIOCore
import RTCRooms
import RTCSignaling
import RTCSignalingServer

/// Serves every signalling protocol of this package, each under a path of its own.
@main
struct SignalingServerProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signaling-server",
        abstract: "Serves WebSocket, SockJS, STOMP and Socket.IO, each under paths of its own."
    )

    @Option(help: ArgumentHelp("Listen for HTTP here; port 0 takes a free one.", valueName: "host:port"))
    var http = HostPort(host: "127.0.0.1", port: 8080)

    @Option(help: ArgumentHelp("Where SockJS's pages in iframes load the client from.", valueName: "url"))
    var sockjsClient = SockJSConfiguration().clientURL

    @Option(help: ArgumentHelp("End a streaming response of SockJS after so many bytes.", valueName: "bytes"))
    var sockjsResponseLimit = SockJSConfiguration().responseLimit

    @Option(
        help: ArgumentHelp(
            "How long a session of SockJS lives without a request that receives.",
            valueName: "seconds"
        )
    )
    var sockjsDisconnectDelay = SockJSConfiguration().disconnectDelay.nanoseconds / 1_000_000_000

    @Option(help: ArgumentHelp("Serve this file under /sockjs.js, for pages to load.", valueName: "file"))
    var sockjsFile: String?

    @Option(help: ArgumentHelp("Listen for STOMP over TCP here, too.", valueName: "host:port"))
    var stomp: HostPort?

    @Option(help: ArgumentHelp("Pass clients of STOMP on to the broker there.", valueName: "host:port"))
    var stompBroker: HostPort?

    @Flag(name: .customLong("stomp-broker-tls"), help: "Speak TLS to that broker.")
    var stompBrokerTLS = false

    @Option(
        name: .customLong("stomp-broker-ca"),
        help: ArgumentHelp("Trust the authorities in this file for the broker, not the system's.", valueName: "pem")
    )
    var stompBrokerAuthority: String?

    @Option(
        name: .customLong("stomp-broker-name"),
        help: ArgumentHelp("The name that the broker's certificate is for, if it is not its host.", valueName: "name")
    )
    var stompBrokerName: String?

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func run() async throws {
        // Before anything that a signal would leave half done.
        let signal = TerminationSignal()
        var configuration = try self.server.configuration()
        configuration.host = self.http.host.isEmpty ? "::" : self.http.host
        configuration.port = Int(self.http.port)
        let rooms = RoomService()
        let relay = self.stompBroker.map { STOMPRelayConfiguration(host: $0.host, port: Int($0.port)) }
        let broker = STOMPService(relay: relay, relayTLS: try self.brokerTLS(), decide: Self.decide)
        let server: SignalingServer
        do {
            server = try await SignalingServer.bind(try self.routes(broker, rooms), configuration: configuration)
        } catch let error as ExampleFailure {
            throw ValidationError(error.description)
        } catch {
            throw ValidationError("cannot listen for HTTP on \(self.http.text): \(error)")
        }
        await withDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            group.addTask {
                for await sent in broker.messages {
                    // What goes to /app/NAME comes back on /user/queue/NAME.
                    let name = sent.destination.dropFirst(broker.configuration.applicationPrefix.count)
                    broker.send(
                        to: sent.connection,
                        destination: "/queue/" + name,
                        headers: sent.headers,
                        body: sent.body
                    )
                }
            }
            group.addTask {
                for await isAvailable in broker.availability {
                    StandardOutput.write("Broker: \(isAvailable ? "available" : "away")")
                }
            }
            for address in server.tcpAddresses {
                StandardOutput.write("STOMP: stomp://\(address.ipAddress ?? ""):\(address.port ?? 0)")
            }
            let port = server.address.port.flatMap(UInt16.init(exactly:)) ?? self.http.port
            StandardOutput.write(
                "Signalling: \(configuration.tls == nil ? "http" : "https")://\(HostPort(host: configuration.host, port: port).text)/"
            )
            let reloads = self.server.reloadsOnHangUp(configuration.tls)
            await signal.wait()
            reloads?.cancel()
            rooms.shutdown()
            server.shutdown()
        }
    }

    func validate() throws {
        let hasTLSOption = self.stompBrokerTLS || self.stompBrokerAuthority != nil || self.stompBrokerName != nil
        guard self.stompBroker != nil || !hasTLSOption else {
            throw ValidationError("--stomp-broker-tls, -ca and -name go with --stomp-broker")
        }
        guard (1...86_400).contains(self.sockjsDisconnectDelay) else {
            throw ValidationError("--sockjs-disconnect-delay is from a second to a day")
        }
    }

    /// TLS to the broker; nil if no option asks for it.
    private func brokerTLS() throws -> STOMPRelayTLS? {
        guard self.stompBrokerTLS || self.stompBrokerAuthority != nil || self.stompBrokerName != nil else { return nil }
        do {
            var tls = try STOMPRelayTLS(trustRootsFile: self.stompBrokerAuthority)
            tls.serverName = self.stompBrokerName
            return tls
        } catch {
            throw ValidationError("cannot use the broker's authorities: \(error)")
        }
    }

    private func routes(_ broker: STOMPService, _ rooms: RoomService) throws -> SignalingRoutes {
        var routes = SignalingRoutes()
        if self.server.refuseWebSockets {
            routes.admit = { $0.headers.first("upgrade") == nil ? nil : SignalingResponse(403) }
        }
        let room = BroadcastRoom()
        let webSocket = self.server.webSocket
        routes.webSocket("/ws/echo", subprotocols: ["echo"], configuration: webSocket, handler: Self.echo)
        routes.webSocket("/ws/broadcast", configuration: webSocket) { await room.serve($0) }
        routes.webSocketAndPolling("/signal/echo", webSocket: webSocket, handler: Self.echo)
        routes.webSocketAndPolling("/signal/broadcast", webSocket: webSocket) { await room.serve($0) }
        routes.polling("/poll/close") { session in
            session.send("last words")
            session.close(code: 3000, reason: "Go away!")
        }
        if let folder = self.server.files { routes.files("/static", folder: folder) }
        var sockJS = SockJSConfiguration()
        sockJS.clientURL = self.sockjsFile == nil ? self.sockjsClient : "/sockjs.js"
        sockJS.responseLimit = self.sockjsResponseLimit
        sockJS.disconnectDelay = .seconds(self.sockjsDisconnectDelay)
        routes.sockJS("/echo", configuration: sockJS, webSocket: webSocket, handler: Self.echo)
        routes.sockJS("/broadcast", configuration: sockJS) { await room.serve($0) }
        routes.sockJS("/close", configuration: sockJS) { $0.close(code: 3000, reason: "Go away!") }
        var withoutWebSocket = sockJS
        withoutWebSocket.hasWebSocket = false
        routes.sockJS("/disabled_websocket_echo", configuration: withoutWebSocket, handler: Self.echo)
        var withCookie = sockJS
        withCookie.setsCookie = true
        routes.sockJS("/cookie_needed_echo", configuration: withCookie, handler: Self.echo)
        routes.stomp(broker, webSocket: "/stomp", sockJS: "/stomp-sockjs", configuration: webSocket)
        MeshPage.add(to: &routes, rooms, configuration: webSocket)
        if let stomp = self.stomp { routes.stompTCP(broker, host: stomp.host, port: Int(stomp.port)) }
        routes.socketIO(SocketIODemo.makeService(), webSocket: webSocket)
        CodelabPages.add(to: &routes)
        FilesPage.serve(on: &routes, mailbox: MailboxHub())
        let page = SignalingResponse(200, headers: ["content-type": "text/html; charset=utf-8"], text: Page.html)
        routes.http("/") { _ in page }
        if let path = self.sockjsFile {
            let script = try ScriptFile.read(path)
            let response = SignalingResponse(
                200,
                headers: ["content-type": "text/javascript; charset=utf-8"],
                body: script
            )
            routes.http("/sockjs.js") { _ in response }
        }
        return routes
    }

    /// Everybody may come in under any name but `nobody`, and listen to everything but `/topic/secret`.
    @Sendable private static func decide(_ question: STOMPQuestion) async -> STOMPAnswer {
        switch question.kind {
        case .connect("nobody"?, _, _): return .deny(reason: "unknown user")
        case .connect(let login, _, _): return .allow(user: login)
        case .subscribe("/topic/secret"): return .deny(reason: "not for guests")
        case .subscribe, .send: return .allow()
        }
    }

    /// Returns what a client sends.
    @Sendable private static func echo(_ session: SignalingSession) async {
        for await message in session.messages { session.send(message) }
    }
}
