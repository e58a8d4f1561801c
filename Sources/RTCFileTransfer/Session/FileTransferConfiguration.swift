public import Logging
public import WebRTC

/// How the two sides of a transfer find a way to each other, and how long they try.
public struct FileTransferConfiguration: Sendable {
    /// STUN and TURN servers. Default none.
    public var iceServers: [RTCIceServer] = []
    /// Which candidates may be used; `.relay` hides this side's addresses from the other. Default all.
    public var iceTransportPolicy = RTCIceTransportPolicy.all
    /// Which local addresses are used. Default all, loopback too: the other side may be on this machine.
    public var addressPolicy: RTCAddressPolicy
    /// How long the other side may take to show that it has the code, and to describe its connection. Default 30 s.
    public var pairingTimeout: Duration = .seconds(30)
    /// How long a broken connection is tried to be restored. Default a minute.
    public var reconnectionTime: Duration = .seconds(60)
    /// Where connections log to. Default nowhere.
    public var logger: Logger?

    /// The defaults.
    public init() {
        self.addressPolicy = .defaults
        self.addressPolicy.includesLoopback = true
    }
}
