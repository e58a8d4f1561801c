import NIOCore
import RTCBase

/// The addresses of this host.
enum HostAddress {
    /// An address that others can reach, or a loopback one if there is none.
    static func first(of family: TransportAddress.Family) -> String? {
        let addresses = ((try? System.enumerateDevices()) ?? [])
            .compactMap { $0.address.flatMap { TransportAddress($0) } }
            .filter { $0.family == family && !$0.isLinkLocal && !$0.isMulticast }
        return (addresses.first { !$0.isLoopback } ?? addresses.first)?.ip
    }
}
