import Logging
import NIOCore
import RTCSignaling

/// The requests of one client: with its token, over redirections, and again where a server asks to wait.
struct ResourceClient: Sendable {
    /// What a request came to, after redirections.
    struct Reply: Sendable {
        var response: SignalingResponse
        /// The URL that answered.
        var url: URLReference

        var status: Int { self.response.status }
        var isSuccess: Bool { (200..<300).contains(self.status) }
        var text: String { String(buffer: self.response.body) }
        var links: [HTTPLink] { HTTPLink.parse(self.response.headers.all("link")) }
        var tag: EntityTag? { self.response.headers.first("etag").flatMap { EntityTag(field: $0) } }
        /// The type of the body.
        var type: String { MediaType.essence(self.response.headers.first("content-type")) }

        /// The response as an error, with as much of its text as people read.
        var error: WHIPClientError { .refused(status: self.status, reason: String(self.text.prefix(500))) }
    }

    let configuration: WHIPClientConfiguration

    /// Sends a request, and follows redirections (RFC 9725 section 4.5): those that keep the method.
    func send(
        _ method: String,
        to url: URLReference,
        headers: SignalingHeaders = [:],
        body: String = ""
    ) async throws(WHIPClientError) -> Reply {
        var url = url
        for _ in 0...max(0, self.configuration.redirects) {
            let token = self.configuration.token.flatMap { self.configuration.sendsToken(url.text) ? $0 : nil }
            var sent = headers
            if let token { sent.set("authorization", "Bearer \(token)") }
            let response = try await self.exchange(method, url, sent, body)
            guard (300..<400).contains(response.status) else { return Reply(response: response, url: url) }
            let location = response.headers.first("location") ?? ""
            let next = url.resolving(location)
            guard response.status == 307 || response.status == 308, !location.isEmpty, url.mayLead(to: next) else {
                throw .redirected(status: response.status, location: location)
            }
            url = next
        }
        throw .redirected(status: 307, location: url.text)
    }

    private func exchange(
        _ method: String,
        _ url: URLReference,
        _ headers: SignalingHeaders,
        _ body: String
    ) async throws(WHIPClientError) -> SignalingResponse {
        do {
            // The bound is for the whole response, whatever an exchange makes of its own: servers may stop in the middle of one.
            return try await withThrowingTaskGroup(of: SignalingResponse.self) { group in
                defer { group.cancelAll() }
                let configuration = self.configuration
                group.addTask {
                    try await configuration.exchange.send(
                        method,
                        to: url.text,
                        headers: headers,
                        body: ByteBuffer(string: body),
                        timeout: configuration.requestTimeout
                    )
                }
                group.addTask {
                    try await configuration.clock.sleep(for: configuration.requestTimeout)
                    throw NoResponse(within: configuration.requestTimeout)
                }
                guard let response = try await group.next() else { throw CancellationError() }
                return response
            }
        } catch {
            throw .unreachable(reason: TLSFailure.describe(error) ?? String(describing: error))
        }
    }

    private struct NoResponse: Error, CustomStringConvertible {
        let limit: Duration

        init(within limit: Duration) { self.limit = limit }

        var description: String { "there was no whole response within \(self.limit)" }
    }

    /// Sends an offer, again and again while the server asks for patience.
    ///
    /// - Parameters:
    ///   - patience: The statuses that ask for it.
    ///   - isWanted: Whether there is still somebody who waits.
    func offer(
        _ sdp: String,
        to url: URLReference,
        patience: Set<Int>,
        while isWanted: @Sendable () async -> Bool
    ) async throws(WHIPClientError) -> Reply {
        var delay = Duration.seconds(1)
        var retries = 0
        while true {
            let headers: SignalingHeaders = ["content-type": MediaType.sdp, "accept": MediaType.sdp]
            let reply = try await self.send("POST", to: url, headers: headers, body: sdp)
            guard patience.contains(reply.status), retries < self.configuration.retries else { return reply }
            retries += 1
            let asked = reply.response.headers.first("retry-after").flatMap { RetryAfter.parse($0) }
            // The server's wish, or twice as long each time (draft-ietf-wish-whep section 4.3.7).
            let wait = min(
                max(asked ?? .zero, asked == nil || retries > 1 ? delay : .zero),
                self.configuration.maximumRetryDelay
            )
            self.configuration.logger?.info("the offer is sent again", metadata: ["status": "\(reply.status)"])
            do {
                try await self.configuration.clock.sleep(for: wait)
            } catch {
                throw .invalidState
            }
            guard await isWanted() else { throw .invalidState }
            delay = min(delay * 2, self.configuration.maximumRetryDelay)
        }
    }
}
