import NIOCore
import RTCSignaling
import RTCSignalingServer

/// Socket.IO with a namespace for each thing that it can do; `/` has the codelab's rooms.
enum SocketIODemo {
    static func makeService() -> SocketIOService {
        let rooms = CodelabRooms(addresses: self.hostAddresses())
        let service = SocketIOService { await rooms.serve($0) }
        service.namespace("/echo", handler: self.echo)
        service.namespace("/rooms") { socket in
            for await event in socket.events { self.rooms(event, socket, service) }
        }
        service.namespace("/members") { connecting in
            connecting.query.contains("token=secret") ? nil : "only for members"
        } handler: { socket in
            for await _ in socket.events {}
        }
        return service
    }

    /// Returns every event, and acknowledges it with what it carries; `ask` has the client asked.
    @Sendable private static func echo(_ socket: SocketIOSocket) async {
        for await event in socket.events {
            if event.name == "ask" {
                do {
                    socket.emit("answered", try await socket.emitWithAck("question", timeout: .seconds(30)))
                } catch {
                    socket.emit("unanswered", "\(error)")
                }
            } else {
                socket.emit(event.name, event.arguments)
                event.acknowledge(.array(event.arguments))
            }
        }
    }

    private static func rooms(_ event: SocketIOEvents.Event, _ socket: SocketIOSocket, _ service: SocketIOService) {
        let room = event.arguments.first?.string ?? ""
        switch event.name {
        case "join": socket.join(room)
        case "leave": socket.leave(room)
        case "say": socket.to(room).emit("said", event.arguments)
        case "announce": service.of("/rooms").to(room).emit("said", event.arguments)
        case "shout": socket.broadcast.emit("shouted", event.arguments)
        case "goodbye": socket.disconnect(closingConnection: true)
        default: break
        }
        event.acknowledge()
    }

    /// What other machines can reach this one by.
    private static func hostAddresses() -> [String] {
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.compactMap { device in
            guard case .v4 = device.address, let address = device.address?.ipAddress, !address.hasPrefix("127.") else {
                return nil
            }
            return address
        }
    }
}
