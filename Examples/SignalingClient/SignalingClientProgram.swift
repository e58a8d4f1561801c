import ArgumentParser
import ExampleSupport
import Foundation
import NIOCore
import RTCSignaling
import RTCSignalingClient

/// Sends what it reads line by line, and prints what it receives.
@main
struct SignalingClientProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signaling-client",
        abstract: "Sends lines of its input to a signalling server, and prints what comes back.",
        discussion: "At the end of its input it closes in an orderly way. Its first line says what it is connected by."
    )

    enum Way: String, ExpressibleByArgument, CaseIterable {
        case automatic, websocket
        case eventStream = "event-stream"
        case longPolling = "long-polling"
        case polling, sockjs
        case sockjsWebSocket = "sockjs-websocket"
        case sockjsStreaming = "sockjs-streaming"
        case sockjsPolling = "sockjs-polling"
        case stomp
        case socketIO = "socketio"
        case socketIOWebSocket = "socketio-websocket"
        case socketIOPolling = "socketio-polling"
    }

    @Argument(help: "Where to connect to.")
    var url: String

    @Option(help: ArgumentHelp("How: \(Way.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "way"))
    var by = Way.automatic

    @Option(
        help: ArgumentHelp("Send this header with every request; may be given more than once.", valueName: "name:value")
    )
    var header: [String] = []

    @OptionGroup var trust: TrustOptions

    @Option(
        help: ArgumentHelp(
            "How long each way gets before the next is tried, where there are several.",
            valueName: "seconds"
        )
    )
    var attempt: Int64?

    @Flag(help: "WebSocket: offer compression.")
    var compress = false

    @Option(help: ArgumentHelp("WebSocket: the window of compression both ways, 2^bits bytes.", valueName: "9-15"))
    var compressionWindow: Int?

    @Flag(help: "WebSocket: compress each message by itself.")
    var noContextTakeover = false

    @Option(help: "STOMP: where to send to and what to subscribe to.")
    var destination = "/topic/lines"

    @Option(help: "STOMP: who the client is.")
    var login: String?

    @Option(help: "STOMP: the password.")
    var passcode: String?

    @Option(help: ArgumentHelp("STOMP: the virtual host.", valueName: "name"))
    var virtualHost: String?

    @Option(help: ArgumentHelp("STOMP: the one version to speak.", valueName: "1.0|1.1|1.2"))
    var stompVersion: String?

    @Option(help: "Socket.IO: the namespace.")
    var namespace = "/"

    @Option(
        help:
            "Socket.IO: the event that lines are sent as; what it brings is printed as it is, and others with their names."
    )
    var event = "message"

    func validate() throws {
        guard (1...86_400).contains(self.attempt ?? 1) else {
            throw ValidationError("--attempt is from a second to a day")
        }
    }

    func run() async throws {
        do {
            switch self.by {
            case .stomp: try await self.runSTOMP()
            case .socketIO, .socketIOWebSocket, .socketIOPolling: try await self.runSocketIO()
            default: try await self.runChannel()
            }
        } catch let error as SignalingChannelError {
            throw ValidationError(error.description)
        } catch let error as STOMPClientError {
            throw ValidationError(error.description)
        } catch let error as SocketIOClientError {
            throw ValidationError(error.description)
        }
    }

    func settings() throws -> HTTPClientSettings {
        var settings = HTTPClientSettings()
        for header in self.header {
            let parts = header.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw ValidationError("\(header) is no header") }
            settings.headers.add(String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
        }
        settings.tls = try self.trust.tls
        return settings
    }

    /// What is offered of compression; nil for none.
    private var deflate: WebSocketDeflateConfiguration? {
        guard self.compress else { return nil }
        var deflate = WebSocketDeflateConfiguration()
        if let bits = self.compressionWindow {
            deflate.serverMaxWindowBits = bits
            deflate.clientMaxWindowBits = bits
        }
        deflate.serverNoContextTakeover = self.noContextTakeover
        deflate.clientNoContextTakeover = self.noContextTakeover
        return deflate
    }

    // MARK: Channels

    private func runChannel() async throws {
        let (channel, way) = try await self.connect()
        StandardOutput.write("Connected by \(way)")
        let sender = Task {
            for await line in StandardInput.lines() { try await channel.send(line) }
            await channel.close()
        }
        while let text = try await channel.receive() { StandardOutput.write(text) }
        sender.cancel()
    }

    private func connect() async throws -> (any SignalingChannel, String) {
        let settings = try self.settings()
        switch self.by {
        case .automatic, .stomp, .socketIO, .socketIOWebSocket, .socketIOPolling:
            let connection = try await SignalingClient.connect(
                to: self.url,
                settings: settings,
                attemptTimeout: self.attempt.map(TimeAmount.seconds) ?? .seconds(5)
            )
            return (connection.channel, "\(connection.transport)")
        case .websocket:
            var configuration = WebSocketClientConfiguration()
            configuration.headers = settings.headers
            configuration.tls = settings.tls
            configuration.connection.deflate = self.deflate
            let client = try await WebSocketClient.connect(to: self.url, configuration: configuration)
            return (client, self.by.rawValue)
        case .eventStream, .longPolling, .polling:
            var configuration = PollingClientConfiguration()
            configuration.http = settings
            let isStream = self.by == .eventStream
            configuration.mode = isStream ? .eventStream : self.by == .polling ? .polling : .longPolling
            return (try await PollingClient.connect(to: self.url, configuration: configuration), self.by.rawValue)
        case .sockjs, .sockjsWebSocket, .sockjsStreaming, .sockjsPolling:
            var configuration = SockJSClientConfiguration()
            configuration.http = settings
            if let attempt = self.attempt {
                configuration.minimumTransportTimeout = .seconds(attempt)
                configuration.http.connectTimeout = max(configuration.http.connectTimeout, .seconds(attempt))
            }
            switch self.by {
            case .sockjsWebSocket: configuration.transports = [.webSocket]
            case .sockjsStreaming: configuration.transports = [.xhrStreaming]
            case .sockjsPolling: configuration.transports = [.xhr]
            default: break
            }
            let client = try await SockJSClient.connect(to: self.url, configuration: configuration)
            return (client, client.transport.rawValue)
        }
    }

    // MARK: STOMP

    private func runSTOMP() async throws {
        var configuration = STOMPClientConfiguration()
        configuration.login = self.login
        configuration.passcode = self.passcode
        configuration.host = self.virtualHost
        if let text = self.stompVersion {
            guard let version = STOMPVersion(rawValue: text) else { throw ValidationError("\(text) is no version") }
            configuration.versions = [version]
        }
        let client = try await STOMPClient.connect(to: self.url, configuration: configuration, http: self.settings())
        let subscription = try await client.subscribe(to: self.destination, ackMode: .client, confirmed: true)
        StandardOutput.write("Connected by STOMP \(client.version.rawValue)")
        let sender = Task {
            for await line in StandardInput.lines() {
                try await client.send(to: self.destination, text: line, confirmed: true)
            }
            await client.disconnect()
        }
        while let message = try await subscription.next() {
            StandardOutput.write(message.text)
            try await client.ack(message)
        }
        sender.cancel()
    }
}
