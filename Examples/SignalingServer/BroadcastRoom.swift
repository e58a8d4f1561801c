import RTCSignaling
import RTCSignalingServer
import Synchronization

/// Passes what one client sends on to all, itself too.
final class BroadcastRoom: Sendable {
    private let sessions = Mutex<[ObjectIdentifier: SignalingSession]>([:])

    func serve(_ session: SignalingSession) async {
        self.sessions.withLock { $0[ObjectIdentifier(session)] = session }
        for await message in session.messages {
            for other in self.sessions.withLock({ Array($0.values) }) { other.send(message) }
        }
        self.sessions.withLock { $0[ObjectIdentifier(session)] = nil }
    }
}
