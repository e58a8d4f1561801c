import NIOCore
public import RTCSignaling
import Synchronization

/// Socket.IO 2 in a ``SignalingServer``: namespaces with a handler for each client, events, acknowledgements, rooms.
///
/// ```swift
/// let service = SocketIOService { socket in
///     for await event in socket.events where event.name == "message" {
///         socket.broadcast.emit("message", event.arguments)
///     }
/// }
/// routes.socketIO(service)
/// ```
///
/// Everything may be called from anywhere. A service belongs to the one server whose routes it is in; while that does not run, what
/// is emitted goes nowhere.
public final class SocketIOService: Sendable {
    /// Serves one client in one namespace, until it returns; the client is disconnected from the namespace then.
    public typealias Handler = @Sendable (SocketIOSocket) async -> Void
    /// Decides whether a client gets a namespace: nil admits it, a value refuses it and is what the client is told.
    public typealias Admission = @Sendable (SocketIOConnecting) async -> SocketIOValue?

    struct Namespace: Sendable {
        var admit: Admission?
        var handler: Handler
    }

    /// Limits and times. Which namespaces there are is this service's matter.
    public let configuration: SocketIOConfiguration

    private let namespaces: Mutex<[String: Namespace]>
    private let driver = Mutex<(eventLoop: any EventLoop, driver: NIOLoopBound<SocketIODriver>)?>(nil)

    /// A service with the namespace `/`, which every client has.
    ///
    /// - Parameters:
    ///   - configuration: Limits and times.
    ///   - admit: Asked before a client gets it; nil admits everybody.
    ///   - handler: Called for each client.
    public init(
        configuration: SocketIOConfiguration = SocketIOConfiguration(),
        admit: Admission? = nil,
        handler: @escaping Handler
    ) {
        self.configuration = configuration
        self.namespaces = Mutex(["/": Namespace(admit: admit, handler: handler)])
    }

    /// Adds a namespace, or replaces the handler of one. To be called before the server is bound.
    ///
    /// - Parameters:
    ///   - name: The name, with a slash at its beginning.
    ///   - admit: Asked before a client gets it; nil admits everybody.
    ///   - handler: Called for each client.
    public func namespace(_ name: String, admit: Admission? = nil, handler: @escaping Handler) {
        self.namespaces.withLock { $0[name] = Namespace(admit: admit, handler: handler) }
    }

    // MARK: To many

    /// Everybody in a namespace.
    public func of(_ namespace: String) -> SocketIOTarget {
        SocketIOTarget(service: self, audience: SocketIOAudience(namespace: namespace))
    }

    /// The members of a room of the namespace `/`.
    public func to(_ room: String) -> SocketIOTarget { self.of("/").to(room) }

    /// Sends an event to everybody in the namespace `/`.
    public func emit(_ name: String, _ arguments: SocketIOValue...) { self.of("/").emit(name, arguments) }

    // MARK: The server

    /// What the broker is to know.
    var brokerConfiguration: SocketIOConfiguration {
        var configuration = self.configuration
        let namespaces = self.namespaces.withLock { $0 }
        configuration.namespaces = Set(namespaces.keys)
        configuration.guardedNamespaces = Set(namespaces.filter { $0.value.admit != nil }.keys)
        return configuration
    }

    func namespace(_ name: String) -> Namespace? { self.namespaces.withLock { $0[name] } }

    func attach(_ driver: SocketIODriver) {
        let bound = NIOLoopBound(driver, eventLoop: driver.eventLoop)
        self.driver.withLock { $0 = (driver.eventLoop, bound) }
    }

    func detach() { self.driver.withLock { $0 = nil } }

    func run(_ action: @escaping @Sendable (SocketIODriver) -> Void) {
        guard let (eventLoop, driver) = self.driver.withLock({ $0 }) else { return }
        eventLoop.execute { action(driver.value) }
    }
}

/// Clients that hear the same.
public struct SocketIOTarget: Sendable {
    let service: SocketIOService
    var audience: SocketIOAudience

    /// Members of this room, too; at first, of this room only.
    public func to(_ room: String) -> SocketIOTarget {
        var target = self
        target.audience.rooms.insert(room)
        return target
    }

    /// Sends an event to all of them.
    public func emit(_ name: String, _ arguments: SocketIOValue...) { self.emit(name, arguments) }

    /// Sends an event to all of them.
    public func emit(_ name: String, _ arguments: [SocketIOValue]) {
        let audience = self.audience
        self.service.run { $0.emit(name, arguments, to: audience) }
    }
}
