import ArgumentParser
import NIOCore
import RTCRooms
import RTCSignalingServer
import RTCSockets

/// `rtc-bench room-server`: the server that `rtc-bench rooms` measures, in a process of its own.
struct RoomServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "room-server",
        abstract: "Serve rooms over WebSocket until the process is ended.",
        shouldDisplay: false
    )

    func run() async throws {
        ProcessLimits.raiseFileLimit()
        var limits = RoomConfiguration()
        (limits.maximumConnections, limits.maximumTotalMembers, limits.maximumRooms) = (100_000, 100_000, 100_000)
        var routes = SignalingRoutes()
        routes.rooms(RoomService(configuration: limits), webSocket: "/rooms")
        var configuration = SignalingServerConfiguration()
        configuration.maximumConnections = 100_000
        configuration.maximumConnectionsPerAddress = 100_000
        let server = try await SignalingServer.bind(routes, configuration: configuration)
        StandardOutput.write("ws://127.0.0.1:\(server.address.port ?? 0)/rooms")
        await server.run()
    }
}
