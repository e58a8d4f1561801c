import ArgumentParser
import ExampleSupport
import FilesPage
import NIOCore
import RTCSignaling
import RTCSignalingServer

/// A server for one sender, in its own process.
struct EmbeddedServer: Sendable {
    let server: SignalingServer
    /// Where the other side finds it: addresses of other machines' view first.
    let urls: [String]
    /// Where this process finds it.
    let ownURL: String

    static func start(_ address: HostPort) async throws -> EmbeddedServer {
        var routes = SignalingRoutes()
        FilesPage.serve(on: &routes, mailbox: MailboxHub())
        var configuration = SignalingServerConfiguration()
        configuration.host = address.host.isEmpty ? "0.0.0.0" : address.host
        configuration.port = Int(address.port)
        let server: SignalingServer
        do {
            server = try await SignalingServer.bind(routes, configuration: configuration)
        } catch {
            throw ValidationError("cannot listen for HTTP on \(address.text): \(error)")
        }
        let port = server.address.port.flatMap(UInt16.init(exactly:)) ?? address.port
        let hosts = address.host.isEmpty ? Self.hosts() : [address.host]
        let urls = hosts.map { "http://\(HostPort(host: $0, port: port).text)" }
        let own = HostPort(host: address.host.isEmpty ? "127.0.0.1" : address.host, port: port).text
        return EmbeddedServer(server: server, urls: urls, ownURL: "http://\(own)")
    }

    /// This machine's IPv4 addresses, loopback last.
    private static func hosts() -> [String] {
        let devices = (try? System.enumerateDevices()) ?? []
        let addresses = devices.compactMap(\.address?.ipAddress).filter { !$0.contains(":") }
        return addresses.filter { !$0.hasPrefix("127.") } + ["127.0.0.1"]
    }
}
