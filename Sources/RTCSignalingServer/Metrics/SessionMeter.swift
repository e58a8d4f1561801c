import NIOCore
import RTCSignaling

/// Counts what goes through a session, between its transport and whoever serves it.
final class SessionMeter: SessionReceiver, SessionLink {
    /// Who serves it; nil if nobody can.
    var receiver: (any SessionReceiver)?

    private let transport: SignalingSession.Transport
    private let link: any SessionLink
    private let core: ServerCore
    private var isOpen = true

    init(_ transport: SignalingSession.Transport, link: any SessionLink, core: ServerCore) {
        self.transport = transport
        self.link = link
        self.core = core
        core.counters.sessions[transport, default: 0] += 1
        core.counters.openSessions[transport, default: 0] += 1
    }

    func received(_ message: WebSocketMessage) {
        self.core.counters.messagesIn += 1
        self.core.counters.bytesIn += message.size
        self.receiver?.received(message)
    }

    func ended() {
        guard self.isOpen else { return }
        self.isOpen = false
        self.core.counters.openSessions[self.transport, default: 0] -= 1
        self.receiver?.ended()
        self.receiver = nil
    }

    func send(_ message: WebSocketMessage) {
        guard self.isOpen else { return }
        self.core.counters.messagesOut += 1
        self.core.counters.bytesOut += message.size
        self.link.send(message)
    }

    func close(code: Int, reason: String) { self.link.close(code: code, reason: reason) }

    var canPause: Bool { self.link.canPause }

    func setReading(_ isReading: Bool) { self.link.setReading(isReading) }
}

extension ServerCore {
    /// The counters with what is so now.
    var currentCounters: SignalingServerCounters {
        var now = self.counters
        now.connections = self.connections.count
        now.unsentBytes =
            self.webSockets.values.reduce(0) { $0 + $1.unsentBytes }
            + self.services.values.reduce(0) { $0 + $1.unsentBytes }
            + self.stompDrivers.values.reduce(0) { $0 + $1.unsentBytes }
            + self.httpConnections.values.reduce(0) { $0 + $1.unsentBytes }
            + self.http2Connections.values.reduce(0) { $0 + $1.unsentResponseBytes }
        now.queuedMessages = self.stompDrivers.values.reduce(0) { $0 + $1.queuedMessages }
        now.slowClients += self.stompDrivers.values.reduce(0) { $0 + $1.slowConnections }
        return now
    }
}
