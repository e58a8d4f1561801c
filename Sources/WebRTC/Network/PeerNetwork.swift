import NIOCore
import RTCBase
import RTCICE
import RTCSTUN

/// The sockets a connection uses: its own, or those of an endpoint. Confined to one event loop.
protocol PeerNetwork: AnyObject {
    /// Which local addresses are used.
    var addressPolicy: RTCAddressPolicy { get }
    /// `driver` uses these sockets from now on, until ``detach(_:)``.
    func adopt(_ driver: PeerDriver)
    /// Calls `body` on the event loop with the addresses to offer; at once, or when sockets are bound.
    func hostAddresses(_ body: @escaping ([ICEHostAddress]) -> Void)
    /// The socket bound to `base`; stays the same.
    func socket(boundTo base: TransportAddress) -> UDPSocket?
    /// The TCP connection that a peer made to one of our listeners, `nil` if it has ended.
    func acceptedConnection(_ path: PeerDriver.Path) -> TCPConnection?
    /// So many datagrams were queued on a socket.
    func noteWritten(_ count: Int)
    /// Sends what is queued.
    func flush()
    /// Binding requests for `ufrag` go to `driver` from now on.
    func register(ufrag: String, of driver: PeerDriver)
    /// Binding requests for `ufrag` go to nobody any more.
    func unregister(ufrag: String)
    /// Datagrams from `remote` to `base` go to `driver` from now on: it has checked the peer's integrity.
    func register(path remote: TransportAddress, base: TransportAddress, of driver: PeerDriver)
    /// The answer to a request goes to `driver`, wherever it comes from.
    func expect(_ transaction: STUNTransactionID, of driver: PeerDriver)
    /// Lets `driver` act at the end of the present burst of datagrams; `false` if there is none.
    func touch(_ driver: PeerDriver) -> Bool
    /// Lets `driver` act within five milliseconds, so that packets of one picture leave together; `false` if that is not to be had.
    func hold(_ driver: PeerDriver) -> Bool
    /// Forgets `driver`.
    func detach(_ driver: PeerDriver)
}
