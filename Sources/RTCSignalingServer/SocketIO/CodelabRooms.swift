import RTCSignaling
import Synchronization

/// Rooms for two over Socket.IO, in the words that Google's WebRTC codelab taught (steps 4 to 6) and many pages speak since.
///
/// | A client says | It hears | The other hears |
/// |---|---|---|
/// | `create or join` ROOM | `created` ROOM ID if it is the first; `joined` ROOM ID and `ready` ROOM if it is the second; `full` ROOM | `join` ROOM, `ready` ROOM |
/// | `message` ANYTHING | | `message` ANYTHING |
/// | `bye` ROOM, or nothing any more | | `bye` ROOM |
/// | `ipaddr` | `ipaddr` ADDRESS for each of ``init(addresses:)`` | |
///
/// and `log` with an array of what is going on. Other than with the codelab's server, messages stay in the room.
public final class CodelabRooms: Sendable {
    /// The most rooms of a client.
    private static let maximumRooms = 16
    /// The most bytes of a room's name.
    private static let maximumNameLength = 256

    private let addresses: [String]
    private let rooms = Mutex<[String: [SocketIOSocket]]>([:])

    /// No rooms yet.
    ///
    /// - Parameter addresses: What clients that ask for the server's addresses are told. Default nothing.
    public init(addresses: [String] = []) { self.addresses = addresses }

    /// Serves one client: the handler of a ``SocketIOService``.
    public func serve(_ socket: SocketIOSocket) async {
        var joined: [String] = []
        for await event in socket.events {
            switch event.name {
            case "create or join":
                guard let room = event.arguments.first?.string else { continue }
                if self.join(room, socket, isAllowed: joined.count < Self.maximumRooms) { joined.append(room) }
            case "message":
                self.log(socket, ["Client said: "] + event.arguments)
                for room in joined { self.tell(room, except: socket, "message", event.arguments) }
            case "bye":
                guard let room = event.arguments.first?.string, let index = joined.firstIndex(of: room) else {
                    continue
                }
                joined.remove(at: index)
                self.leave(room, socket)
            case "ipaddr": for address in self.addresses { socket.emit("ipaddr", .string(address)) }
            default: break
            }
        }
        for room in joined { self.leave(room, socket) }
    }

    /// Returns whether the client is in the room now and was not before.
    private func join(_ room: String, _ socket: SocketIOSocket, isAllowed: Bool) -> Bool {
        let name = SocketIOValue.string(room)
        self.log(socket, ["Received request to create or join room \(room)"])
        // Within the lock, so that all hear things in the order in which they happened.
        return self.rooms.withLock { rooms in
            let members = rooms[room] ?? []
            self.log(socket, ["Room \(room) now has \(members.count) client(s)"])
            guard !members.contains(where: { $0 === socket }) else { return false }
            guard members.count < 2, isAllowed, room.utf8.count <= Self.maximumNameLength else {
                socket.emit("full", name)
                return false
            }
            rooms[room] = members + [socket]
            guard let first = members.first else {
                self.log(socket, ["Client ID \(socket.id) created room \(room)"])
                socket.emit("created", name, .string(socket.id))
                return true
            }
            self.log(socket, ["Client ID \(socket.id) joined room \(room)"])
            first.emit("join", name)
            socket.emit("joined", name, .string(socket.id))
            for member in [first, socket] { member.emit("ready", name) }
            return true
        }
    }

    private func leave(_ room: String, _ socket: SocketIOSocket) {
        self.rooms.withLock { rooms in
            let others = (rooms[room] ?? []).filter { $0 !== socket }
            rooms[room] = others.isEmpty ? nil : others
            for other in others { other.emit("bye", .string(room)) }
        }
    }

    private func tell(_ room: String, except socket: SocketIOSocket, _ name: String, _ arguments: [SocketIOValue]) {
        for member in self.rooms.withLock({ $0[room] ?? [] }) where member !== socket {
            member.emit(name, arguments)
        }
    }

    private func log(_ socket: SocketIOSocket, _ values: [SocketIOValue]) {
        socket.emit("log", .array(["Message from server:"] + values))
    }
}
