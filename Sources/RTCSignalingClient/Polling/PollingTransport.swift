import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import RTCSignaling
import Synchronization

/// The requests of a ``PollingClient``.
final class PollingTransport: HTTPChannelTransport {
    private struct Messages: Decodable {
        var last: UInt64
        var messages: [String]
    }

    private struct Closure: Decodable {
        var code: Int
        var reason: String
    }

    private struct State {
        /// The last message that was handed over.
        var received: UInt64 = 0
        /// The last message that the server has taken.
        var sent: UInt64 = 0
        /// How long the server is asked to hold a request.
        var wait: TimeAmount
    }

    private let url: String
    private let requester: HTTPRequester
    private let configuration: PollingClientConfiguration
    private let opened: Opening
    private let state: Mutex<State>

    init(_ url: String, _ requester: HTTPRequester, _ configuration: PollingClientConfiguration, opened: Opening) {
        self.url = url
        self.requester = requester
        self.configuration = configuration
        self.opened = opened
        self.state = Mutex(State(wait: configuration.mode == .longPolling ? configuration.wait : .zero))
    }

    /// Opens a session; gives its URL.
    static func open(
        _ url: SignalingURL,
        _ requester: HTTPRequester,
        _ configuration: PollingClientConfiguration
    ) async throws(SignalingChannelError) -> String {
        do {
            let (response, _) = try await requester.exchange(
                .POST,
                url.description,
                limit: configuration.http.maximumResponseSize,
                timeout: configuration.http.connectTimeout
            )
            guard response.status == 201 else { throw response.refusal }
            guard let location = response.headers.first(name: "location"),
                let session = URL(string: location, relativeTo: URL(string: url.description))?.absoluteURL
            else { throw SignalingChannelError.protocolViolation(reason: "no location of the session") }
            // A session elsewhere would get this side's headers and cookies.
            let isSame = try SignalingURL(session.absoluteString, schemes: [url.scheme]).authority == url.authority
            guard isSame else { throw SignalingChannelError.protocolViolation(reason: "a session on another server") }
            return session.absoluteString
        } catch {
            throw HTTPRequester.failure(error)
        }
    }

    // MARK: Receiving

    func receive(_ deliver: ([String]) async -> Void) async throws(RequestFailure) -> TimeAmount? {
        do {
            if self.configuration.mode == .eventStream {
                try await self.receiveStream(deliver)
                return nil
            }
            return try await self.poll(deliver)
        } catch {
            throw Self.failure(error)
        }
    }

    private func poll(_ deliver: ([String]) async -> Void) async throws -> TimeAmount? {
        let (after, wait) = self.state.withLock { ($0.received, $0.wait) }
        let seconds = wait.nanoseconds / 1_000_000_000
        let (response, body): (HTTPRequester.Response, ByteBuffer)
        do {
            (response, body) = try await self.requester.exchange(
                .GET,
                "\(self.url)?after=\(after)" + (seconds > 0 ? "&wait=\(seconds)" : ""),
                limit: self.configuration.http.maximumResponseSize,
                timeout: wait + self.configuration.http.requestTimeout
            )
            if response.status == 504 { self.shortenWait() }
        } catch {
            // Something on the way may not like requests that last.
            self.shortenWait()
            throw error
        }
        guard response.status == 200 else { throw Self.failure(response, body) }
        guard let messages = try? JSONDecoder().decode(Messages.self, from: Data(body.readableBytesView)),
            messages.last < 1 << 53, messages.last >= messages.messages.count
        else { throw SignalingChannelError.protocolViolation(reason: "no messages in a response") }
        try await self.deliver(messages.messages, last: messages.last, deliver)
        guard messages.messages.isEmpty, seconds == 0 else { return nil }
        return self.configuration.pollInterval ?? response.retryAfter ?? .seconds(1)
    }

    private func shortenWait() { self.state.withLock { $0.wait = .nanoseconds($0.wait.nanoseconds / 2) } }

    private func receiveStream(_ deliver: ([String]) async -> Void) async throws {
        let after = self.state.withLock { $0.received }
        let response = try await self.requester.request(
            .GET,
            "\(self.url)?after=\(after)",
            headers: [("accept", "text/event-stream"), ("last-event-id", "\(after)")],
            timeout: .hours(24)
        )
        guard response.status == 200 else {
            throw Self.failure(response, try await response.body.collect(upTo: 64 << 10))
        }
        guard response.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true else {
            throw SignalingChannelError.protocolViolation(reason: "no stream of events")
        }
        var reader = EventStreamReader(limit: self.configuration.http.maximumResponseSize)
        var isFirst = true
        for try await bytes in response.body {
            if isFirst {
                isFirst = false
                self.opened.succeed()
                // A stream that says nothing for long is none that failed.
                await deliver([])
            }
            guard let events = try? reader.receive(bytes) else {
                throw SignalingChannelError.protocolViolation(reason: "an event is too large")
            }
            for event in events { try await self.take(event, deliver) }
        }
    }

    private func take(_ event: StreamEvent, _ deliver: ([String]) async -> Void) async throws {
        switch event.name {
        case "message":
            guard let text = JSONText.string(event.data), let id = event.id.flatMap(UInt64.init), id < 1 << 53 else {
                throw SignalingChannelError.protocolViolation(reason: "an event that is no message")
            }
            try await self.deliver([text], last: id, deliver)
        case "close": throw Self.closure(event.data)
        default: break
        }
    }

    /// Hands over what is new.
    private func deliver(_ messages: [String], last: UInt64, _ deliver: ([String]) async -> Void) async throws {
        let received = self.state.withLock { $0.received }
        let first = last + 1 - UInt64(messages.count)
        guard !messages.isEmpty, last > received else { return }
        guard first <= received + 1 else {
            throw SignalingChannelError.protocolViolation(reason: "messages are missing")
        }
        await deliver(Array(messages.dropFirst(Int(received + 1 - first))))
        self.state.withLock { $0.received = last }
    }

    // MARK: Sending

    func send(_ messages: [String]) async throws(RequestFailure) {
        let (first, after) = self.state.withLock { ($0.sent + 1, $0.received) }
        do {
            let (response, body) = try await self.requester.exchange(
                .POST,
                "\(self.url)?id=\(first)&after=\(after)",
                headers: [("content-type", "application/json")],
                body: ByteBuffer(string: SockJSFrame.clientText(messages)),
                limit: 64 << 10
            )
            guard response.status == 200 else { throw Self.failure(response, body) }
            self.state.withLock { $0.sent += UInt64(messages.count) }
        } catch {
            throw Self.failure(error)
        }
    }

    func leave() async {
        _ = try? await self.requester.exchange(.DELETE, self.url, limit: 64 << 10, timeout: .seconds(2))
        await self.requester.shutdown()
    }

    // MARK: Failures

    private static func failure(_ response: HTTPRequester.Response, _ body: ByteBuffer) -> RequestFailure {
        switch response.status {
        case 410: return self.closure(String(buffer: body))
        case 404:
            return RequestFailure(
                error: .closed(code: nil, reason: "the server does not know the session any more"),
                isFinal: true
            )
        case 409:
            return RequestFailure(error: .protocolViolation(reason: "messages were lost on the way"), isFinal: true)
        default:
            return RequestFailure(
                error: response.refusal,
                isFinal: !response.isTemporary,
                retryAfter: response.retryAfter
            )
        }
    }

    /// The server closed the session.
    private static func closure(_ json: String) -> RequestFailure {
        let closure = try? JSONDecoder().decode(Closure.self, from: Data(json.utf8))
        let isOrderly = closure?.code == 1000 || closure?.code == 1001
        let error = SignalingChannelError.closed(code: closure?.code, reason: closure?.reason ?? "")
        return RequestFailure(error: isOrderly ? nil : error, isFinal: true)
    }

    private static func failure(_ error: any Error) -> RequestFailure {
        if let failure = error as? RequestFailure { return failure }
        let error = HTTPRequester.failure(error)
        guard case .connectionFailed = error else { return RequestFailure(error: error, isFinal: true) }
        return RequestFailure(error: error, isFinal: false)
    }
}

/// A string in JSON.
enum JSONText {
    static func string(_ text: String) -> String? {
        (try? JSONDecoder().decode([String].self, from: Data("[\(text)]".utf8)))?.first
    }
}

extension HTTPRequester.Response {
    /// The status as an error.
    var refusal: SignalingChannelError {
        let reason = HTTPResponseStatus(statusCode: self.status).reasonPhrase
        guard (300...399).contains(self.status), let location = self.headers.first(name: "location") else {
            return .refused(status: self.status, reason: reason)
        }
        return .refused(status: self.status, reason: "redirects are not followed: to \(location)")
    }
}
