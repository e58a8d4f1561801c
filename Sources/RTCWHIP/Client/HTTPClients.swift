import AsyncHTTPClient
import Foundation
import NIOCore
import RTCTLS
import Synchronization

/// HTTP clients of which each is for one host, so that the host that a connection's certificate must be for is known.
///
/// They end with their owner, which keeps them while they are used.
final class HTTPClients: Sendable {
    private struct Entry {
        var client: HTTPClient
        var uses = 0
        var lastUse: UInt64 = 0
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let configuration: HTTPClient.Configuration
    private let state = Mutex(State())

    /// Clients that nobody uses are kept for so many hosts at most, for their connections.
    private static let limit = 16

    /// Clients that differ in their hosts alone.
    init(_ configuration: HTTPClient.Configuration) { self.configuration = configuration }

    deinit {
        for entry in self.state.withLock({ $0.entries }).values { entry.client.shutdown { _ in } }
    }

    /// Does something with the client for the host of a URL.
    func withClient<Result: Sendable>(
        for url: String,
        _ body: @Sendable (HTTPClient) async throws -> Result
    ) async throws -> Result {
        let host = Self.host(of: url)
        let client = self.take(host)
        defer { self.give(back: host) }
        return try await body(client)
    }

    private func take(_ host: String) -> HTTPClient {
        self.state.withLock { state in
            state.clock += 1
            var entry = state.entries[host] ?? Entry(client: self.makeClient(host))
            entry.uses += 1
            entry.lastUse = state.clock
            state.entries[host] = entry
            return entry.client
        }
    }

    private func give(back host: String) {
        let forgotten = self.state.withLock { state -> Entry? in
            state.entries[host]?.uses -= 1
            guard state.entries.count > Self.limit else { return nil }
            let oldest = state.entries.filter { $0.value.uses == 0 }.min { $0.value.lastUse < $1.value.lastUse }
            return oldest.flatMap { state.entries.removeValue(forKey: $0.key) }
        }
        forgotten?.client.shutdown { _ in }
    }

    private func makeClient(_ host: String) -> HTTPClient {
        var configuration = self.configuration
        if configuration.tlsConfiguration?.isVerifyingNames ?? true {
            let identity = ServerIdentity(host: host)
            configuration.http1_1ConnectionDebugInitializer = { identity.verify($0) }
            configuration.http2ConnectionDebugInitializer = { identity.verify($0) }
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// As AsyncHTTPClient finds it: it must be the host that is connected to. Empty for what it refuses.
    private static func host(of url: String) -> String {
        var host = (URL(string: url)?.host ?? "").lowercased()
        if host.hasPrefix("[") { host.removeFirst() }
        if host.hasSuffix("]") { host.removeLast() }
        return host
    }
}
