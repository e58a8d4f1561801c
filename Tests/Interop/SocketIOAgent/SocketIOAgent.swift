import JSONLines
import NIOCore
import RTCSignaling
import RTCSignalingClient

/// Serves `{"id": N, "do": NAME, …}` with `{"id": N, "result": …}` or `{"id": N, "error": TEXT}`, and tells what happens.
///
/// What takes time is not waited for, but for what must keep its order.
actor SocketIOAgent {
    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let output = StandardOutput()
    private var client: SocketIOClient?
    private var sockets: [String: SocketIOClient.Socket] = [:]

    func serve(_ requests: AsyncStream<JSONValue>) async {
        for await request in requests {
            if request["do"]?.string == "ask" {
                Task { await self.reply(to: request) }
            } else {
                await self.reply(to: request)
            }
        }
        await self.client?.close()
        self.output.flush()
    }

    private func reply(to request: JSONValue) async {
        let id = request["id"] ?? .null
        do {
            self.output.write(["id": id, "result": try await self.perform(request)])
        } catch {
            self.output.write(["id": id, "error": .string("\(error)")])
        }
    }

    private func perform(_ request: JSONValue) async throws -> JSONValue {
        let namespace = request["namespace"]?.string ?? "/"
        let arguments = (request["arguments"]?.array ?? []).map(SocketIOValue.init)
        let name = request["name"]?.string ?? "message"
        switch request["do"]?.string {
        case "connect": try await self.connect(request, namespace)
        case "open":
            guard let client = self.client else { throw Failure(description: "not connected") }
            self.follow(try await client.open(namespace, query: request["query"]?.string ?? ""))
        case "carrier":
            switch self.client?.carrier {
            case .polling?: return "polling"
            case .webSocket?: return "websocket"
            case nil: return .null
            }
        case "emit": try await self.socket(namespace).emit(name, arguments)
        case "ask":
            let timeout = TimeAmount.milliseconds(Int64(request["timeout"]?.int ?? 20_000))
            let socket = try self.socket(namespace)
            // One argument is enough for tests.
            let answer = try await socket.emitWithAck(name, arguments.first ?? .null, timeout: timeout)
            return .array(answer.map(JSONValue.init))
        case "disconnect": try self.socket(namespace).disconnect()
        case "close": return JSONValue(await self.client?.close() ?? 0)
        default: throw Failure(description: "no such request")
        }
        return .null
    }

    private func connect(_ request: JSONValue, _ namespace: String) async throws {
        var configuration = SocketIOClientConfiguration()
        switch request["transport"]?.string {
        case "polling"?: configuration.transport = .polling
        case "websocket"?: configuration.transport = .webSocket
        default: break
        }
        configuration.forcesBase64 = request["base64"]?.bool ?? false
        configuration.firstDelay = .milliseconds(100)
        configuration.longestDelay = .milliseconds(500)
        if let limit = request["maximumQueuedEvents"]?.int { configuration.maximumQueuedEvents = limit }
        if let limit = request["maximumMessageSize"]?.int { configuration.maximumMessageSize = limit }
        var http = HTTPClientSettings()
        for (name, value) in request["headers"]?.object ?? [:] { http.headers.add(name, value.string ?? "") }
        let client = try await SocketIOClient.connect(
            to: request["url"]?.string ?? "",
            namespace: namespace,
            configuration: configuration,
            http: http
        )
        self.client = client
        self.follow(client.socket)
        let (states, output) = (client.states, self.output)
        Task { for await state in states { output.write(["state": JSONValue(state)]) } }
    }

    private func socket(_ namespace: String) throws -> SocketIOClient.Socket {
        guard let socket = self.sockets[namespace] else { throw Failure(description: "no such namespace") }
        return socket
    }

    /// Tells what happens in a namespace, and answers questions.
    private func follow(_ socket: SocketIOClient.Socket) {
        self.sockets[socket.namespace] = socket
        let output = self.output
        let namespace = JSONValue.string(socket.namespace)
        Task {
            for try await event in socket.events {
                switch event {
                case .connected: output.write(["namespace": namespace, "event": "connected"])
                case .received(let received):
                    output.write([
                        "namespace": namespace, "event": "received", "name": .string(received.name),
                        "arguments": .array(received.arguments.map(JSONValue.init)),
                    ])
                    if received.wantsAcknowledgement {
                        try? await received.acknowledge("heard", .array(received.arguments))
                    }
                case .error(let value):
                    output.write(["namespace": namespace, "event": "error", "value": JSONValue(value)])
                case .interrupted(let error, let unconfirmed):
                    output.write([
                        "namespace": namespace, "event": "interrupted", "reason": .string("\(error)"),
                        "unconfirmed": JSONValue(unconfirmed),
                    ])
                case .disconnected(let error, let unsent):
                    output.write([
                        "namespace": namespace, "event": "disconnected", "reason": JSONValue(error.map { "\($0)" }),
                        "unsent": JSONValue(unsent),
                    ])
                }
            }
        }
    }
}
