import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import RTCSignaling

/// The requests of a SockJS session over HTTP.
final class SockJSTransportRequests: HTTPChannelTransport {
    private let url: String
    private let transport: SockJSClientConfiguration.Transport
    private let requester: HTTPRequester
    private let settings: HTTPClientSettings
    private let opened: Opening

    init(
        _ url: String,
        _ transport: SockJSClientConfiguration.Transport,
        _ requester: HTTPRequester,
        _ settings: HTTPClientSettings,
        opened: Opening
    ) {
        self.url = url
        self.transport = transport
        self.requester = requester
        self.settings = settings
        self.opened = opened
    }

    func receive(_ deliver: ([String]) async -> Void) async throws(RequestFailure) -> TimeAmount? {
        do {
            let response = try await self.requester.request(
                .POST,
                "\(self.url)/\(self.transport.rawValue)",
                timeout: .hours(24)
            )
            guard response.status == 200 else { throw response.refusal }
            var reader = LineReader(limit: self.settings.maximumResponseSize)
            for try await bytes in response.body {
                guard let lines = try? reader.receive(bytes) else {
                    throw SignalingChannelError.protocolViolation(reason: "a frame is too large")
                }
                for line in lines { try await self.take(line, deliver) }
            }
            return nil
        } catch {
            throw Self.failure(error)
        }
    }

    private func take(_ line: String, _ deliver: ([String]) async -> Void) async throws {
        switch SockJSFrame(line) {
        case .open?: self.opened.succeed()
        case .messages(let messages)?: await deliver(messages)
        case .heartbeat?: break
        case .close(let code, let reason)?:
            throw RequestFailure(error: SockJSFrame.error(code: code, reason: reason), isFinal: true)
        // What comes before the first frame, so that browsers show anything.
        case nil where line.utf8.allSatisfy({ $0 == UInt8(ascii: "h") }): break
        case nil: throw SignalingChannelError.protocolViolation(reason: "no frame of SockJS")
        }
    }

    func send(_ messages: [String]) async throws(RequestFailure) {
        do {
            let (response, _) = try await self.requester.exchange(
                .POST,
                self.url + "/xhr_send",
                headers: [("content-type", "text/plain")],
                body: ByteBuffer(string: SockJSFrame.clientText(messages)),
                limit: 64 << 10
            )
            guard response.status == 204 || response.status == 200 else { throw response.refusal }
        } catch {
            throw Self.failure(error)
        }
    }

    /// A session ends with the request that receives.
    func leave() async { await self.requester.shutdown() }

    /// Nothing is made again: what became of it cannot be known.
    private static func failure(_ error: any Error) -> RequestFailure {
        error as? RequestFailure ?? RequestFailure(error: HTTPRequester.failure(error), isFinal: true)
    }
}
