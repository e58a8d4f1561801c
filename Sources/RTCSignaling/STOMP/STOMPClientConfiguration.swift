public import NIOCore

/// How a client of STOMP connects, and its limits.
public struct STOMPClientConfiguration: Sendable, Hashable, CustomStringConvertible {
    /// The virtual host; nil, the default, for the host of the URL. RabbitMQ's is `/`.
    public var host: String?
    /// Who the client is; nil, the default, for nobody.
    public var login: String?
    /// The password.
    public var passcode: String?
    /// More headers of `CONNECT`. Default none.
    public var headers: [STOMPFrame.Header] = []
    /// The versions that are offered. Default all.
    public var versions: Set<STOMPVersion> = Set(STOMPVersion.allCases)
    /// How often this side can send heart-beats; zero for never. The slower of what one side can and the other wants counts.
    /// Default 10 s.
    public var heartbeatInterval: TimeAmount = .seconds(10)
    /// How often this side wants heart-beats; zero for never. The connection ends when nothing came for twice as long. Default 10 s.
    public var wantedHeartbeatInterval: TimeAmount = .seconds(10)
    /// How long the broker may take to answer `CONNECT`. Default 10 s.
    public var connectTimeout: TimeAmount = .seconds(10)
    /// How long the broker may take to confirm `DISCONNECT`. Default 5 s.
    public var disconnectTimeout: TimeAmount = .seconds(5)
    /// The largest body that is taken, in bytes. Default 4 MiB.
    public var maximumBodySize = 4 << 20
    /// The most bytes of command and headers of a frame that is taken. Default 64 KiB.
    public var maximumHeadSize = 64 << 10
    /// The bytes that may wait before sending suspends; also the largest frame that is sent. Default 512 KiB.
    public var sendBuffer = 512 << 10

    /// The defaults.
    public init() {}

    /// Without the password.
    public var description: String {
        "STOMPClientConfiguration(host: \(self.host ?? "nil"), login: \(self.login ?? "nil"))"
    }
}
