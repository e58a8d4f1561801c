import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import RTCSignaling
import Synchronization

/// The requests and the WebSocket of one session of Engine.IO.
final class EngineIOLink: Sendable {
    /// Tells what became of an action.
    typealias Reporter = @Sendable (EngineIOClientSession.Report) -> Void

    private struct WebSocket {
        var task: Task<Void, Never>
        var messages: AsyncStream<WebSocketMessage>.Continuation
    }

    private struct State {
        var requests: [EngineIOClientSession.Method: Task<Void, Never>] = [:]
        var webSocket: WebSocket?
        var isReading = true
        var isOver = false
    }

    private let url: SignalingURL
    private let http: HTTPClientSettings
    private let configuration: SocketIOClientConfiguration
    private let requester: HTTPRequester
    private let eventLoop: any EventLoop
    private let report: Reporter
    private let state: Mutex<State>
    private let room = Signal()

    init(
        _ url: SignalingURL,
        _ http: HTTPClientSettings,
        _ configuration: SocketIOClientConfiguration,
        isReading: Bool,
        eventLoop: any EventLoop,
        report: @escaping Reporter
    ) throws(SignalingChannelError) {
        self.url = url
        self.http = http
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.report = report
        self.state = Mutex(State(isReading: isReading))
        self.requester = try http.makeRequester(for: url, idleTimeout: .hours(24))
    }

    func perform(_ action: EngineIOClientSession.Action) {
        switch action {
        case .get(let query): self.request(.get, query, nil)
        case .post(let query, let body): self.request(.post, query, body)
        case .openWebSocket(let query): self.openWebSocket(query)
        case .transmit(let message): self.state.withLock { _ = $0.webSocket?.messages.yield(message) }
        case .closeWebSocket: self.closeWebSocket()
        }
    }

    /// Tells whether what comes over the WebSocket is wanted.
    func setReading(_ isReading: Bool) {
        self.state.withLock { $0.isReading = isReading }
        if isReading { self.room.raise() }
    }

    /// Ends everything.
    func end() {
        let taken = self.state.withLock { state -> State? in
            guard !state.isOver else { return nil }
            state.isOver = true
            return state
        }
        guard let taken else { return }
        for task in taken.requests.values { task.cancel() }
        if let webSocket = taken.webSocket { self.end(webSocket) }
        self.room.raise()
        Task { await self.requester.shutdown() }
    }

    // MARK: Requests

    private func request(_ method: EngineIOClientSession.Method, _ query: String, _ body: WebSocketMessage?) {
        self.state.withLock { state in
            guard !state.isOver else { return }
            // Begun with the lock held, so that what is over finds it.
            state.requests[method] = Task { self.report(await self.exchange(method, query, body)) }
        }
    }

    private func exchange(
        _ method: EngineIOClientSession.Method,
        _ query: String,
        _ body: WebSocketMessage?
    ) async -> EngineIOClientSession.Report {
        var url = self.url
        url.query = query
        var (headers, bytes): ([(String, String)], ByteBuffer?) = ([], nil)
        switch body {
        case .text(let text)?:
            (headers, bytes) = ([("content-type", "text/plain;charset=UTF-8")], ByteBuffer(string: text))
        case .binary(let body)?: (headers, bytes) = ([("content-type", "application/octet-stream")], body)
        case nil: break
        }
        do {
            let (response, body) = try await self.requester.exchange(
                method == .get ? .GET : .POST,
                url.description,
                headers: headers,
                body: bytes,
                limit: self.http.maximumResponseSize,
                // How long a request may be held, and what silence is, the session knows.
                timeout: method == .get ? .hours(24) : nil
            )
            let type = response.headers.first(name: "content-type") ?? ""
            return .response(
                method,
                EngineIOClientSession.Response(
                    status: response.status,
                    isBinary: type.lowercased().hasPrefix("application/octet-stream"),
                    body: body,
                    refusal: response.status == 200 ? nil : response.refusal
                )
            )
        } catch {
            return .failed(method, HTTPRequester.failure(error))
        }
    }

    // MARK: WebSocket

    private func openWebSocket(_ query: String) {
        var url = self.url.with(self.url.scheme.isSecure ? .wss : .ws)
        url.query = query
        let target = url.description
        // Bounded by what the session hands over at once.
        let (messages, continuation) = AsyncStream.makeStream(of: WebSocketMessage.self)
        self.state.withLock { state in
            guard !state.isOver else { return }
            let task = Task {
                do throws(SignalingChannelError) {
                    let socket = try await WebSocketClient.connect(
                        to: target,
                        configuration: self.webSocketConfiguration,
                        eventLoop: self.eventLoop
                    )
                    self.report(.webSocketOpened)
                    await self.run(socket, messages)
                } catch {
                    self.report(.webSocketEnded(error))
                }
            }
            state.webSocket = WebSocket(task: task, messages: continuation)
        }
    }

    private var webSocketConfiguration: WebSocketClientConfiguration {
        var settings = WebSocketClientConfiguration()
        settings.headers = self.http.headers
        let cookies = self.requester.cookieHeader
        if !cookies.isEmpty { settings.headers.add("cookie", cookies) }
        settings.tls = self.http.tls
        settings.connectTimeout = self.http.connectTimeout
        // Base64 takes a third more, and packets have a head.
        let size = self.configuration.maximumMessageSize / 3 * 4 + 1024
        settings.connection.maximumMessageSize = size
        settings.connection.maximumFrameSize = size
        settings.connection.maximumUnsentBytes = 2 * (self.configuration.maximumQueuedBytes / 3 * 4 + 1024)
        settings.connection.closeTimeout = self.configuration.closeTimeout
        // Signs of life are the session's.
        settings.connection.pingInterval = nil
        settings.connection.idleTimeout = nil
        settings.connection.deflate = self.configuration.deflate
        return settings
    }

    private func run(_ socket: WebSocketClient, _ messages: AsyncStream<WebSocketMessage>) async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await message in messages {
                    guard (try? await socket.send(message)) != nil else { break }
                    self.report(.transmitted(message.size))
                }
                await socket.close()
            }
            var end: SignalingChannelError?
            do throws(SignalingChannelError) {
                while let message = try await socket.receiveMessage() {
                    self.report(.webSocketMessage(message))
                    await self.waitForRoom()
                }
            } catch {
                end = error
            }
            self.closeWebSocket()
            self.report(.webSocketEnded(end))
        }
    }

    private func waitForRoom() async {
        while !Task.isCancelled, self.state.withLock({ !$0.isReading && !$0.isOver }) { await self.room.wait() }
    }

    /// Closes the WebSocket after what was sent, or stops opening it.
    private func closeWebSocket() {
        let webSocket = self.state.withLock { state in
            defer { state.webSocket = nil }
            return state.webSocket
        }
        if let webSocket { self.end(webSocket) }
    }

    private func end(_ webSocket: WebSocket) {
        webSocket.messages.finish()
        // What is open closes in an orderly way, in a bounded time; one that is not open yet must not open any more.
        self.eventLoop.scheduleTask(in: self.configuration.closeTimeout) { webSocket.task.cancel() }
    }
}
