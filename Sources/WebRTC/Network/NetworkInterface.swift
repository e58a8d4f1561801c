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

    /// All addresses of all interfaces, as they are now.
    static func current() -> [NetworkInterface] {
        if let substitute = Self.substitute.withLock({ $0 }) { return substitute }
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.compactMap { device in
            guard let address = device.address.flatMap({ TransportAddress($0) }) else { return nil }
            return NetworkInterface(name: device.name, address: address.withPort(0))
        }
    }
}
