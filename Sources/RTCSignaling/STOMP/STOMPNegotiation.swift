import NIOCore

/// What a client's `CONNECT` and a server agree upon (STOMP 1.2, Protocol Negotiation and Heart-beating).
struct STOMPNegotiation {
    struct Failure: Error {
        var reason: String
    }

    var version: STOMPVersion
    /// How often something must go out to the client; nil for never.
    var sendInterval: TimeAmount?
    /// How long nothing may come from it; nil for ever.
    var receiveTimeout: TimeAmount?

    static func of(_ frame: STOMPFrame, heartbeatInterval own: TimeAmount) -> Result<STOMPNegotiation, Failure> {
        let offered = frame["accept-version"]?.split(separator: ",").map { $0.trimmingSpaces() } ?? ["1.0"]
        guard let version = offered.compactMap(STOMPVersion.init).max() else {
            return .failure(Failure(reason: "no version in common"))
        }
        var agreed = STOMPNegotiation(version: version)
        guard version > .v1_0, let text = frame["heart-beat"] else { return .success(agreed) }
        guard let (sends, wants) = Self.heartbeats(text) else {
            return .failure(Failure(reason: "heart-beat is not two numbers"))
        }
        agreed.setHeartbeats(sends: sends, wants: wants, own: own)
        return .success(agreed)
    }

    /// The two numbers of a `heart-beat` header, in milliseconds: how often the other side can send, and how often it wants.
    static func heartbeats(_ text: String) -> (sends: UInt32, wants: UInt32)? {
        let times = text.split(separator: ",", omittingEmptySubsequences: false).map { UInt32($0.trimmingSpaces()) }
        guard times.count == 2, let sends = times[0], let wants = times[1] else { return nil }
        return (sends, wants)
    }

    /// The slower of both sides counts.
    mutating func setHeartbeats(sends: UInt32, wants: UInt32, own: TimeAmount) {
        guard own > .zero else { return }
        if wants > 0 { self.sendInterval = max(own, .milliseconds(Int64(wants))) }
        // Twice: the other side's clock and the network are not exact.
        if sends > 0 { self.receiveTimeout = max(own, .milliseconds(Int64(sends))) * 2 }
    }
}
