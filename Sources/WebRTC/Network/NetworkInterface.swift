import NIOCore
import RTCBase
import Synchronization

/// An address of an interface of this host.
struct NetworkInterface: Sendable, Hashable {
    var name: String
    /// The address, without a port.
    var address: TransportAddress

    /// What takes the place of the system's answer, in tests.
    static let substitute = Mutex<[NetworkInterface]?>(nil)

    private static let lastSeen = Mutex<[NetworkInterface]>([])

    /// All addresses of all interfaces, as they are now, or as they were last seen while the system does not tell: out of file descriptors
    /// it cannot, and an empty list would end all connections.
    static func current(
        _ enumerate: () throws -> [NIONetworkDevice] = System.enumerateDevices
    ) -> [NetworkInterface] {
        if let substitute = Self.substitute.withLock({ $0 }) { return substitute }
        guard let devices = try? enumerate() else { return Self.lastSeen.withLock { $0 } }
        let interfaces = devices.compactMap { device -> NetworkInterface? in
            guard let address = device.address.flatMap({ TransportAddress($0) }) else { return nil }
            return NetworkInterface(name: device.name, address: address.withPort(0))
        }
        Self.lastSeen.withLock { $0 = interfaces }
        return interfaces
    }
}
