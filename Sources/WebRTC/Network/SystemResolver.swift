import NIOCore
import RTCBase

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The system's look-up of names. Blocks.
enum SystemResolver {
    /// The most addresses of one name that are of interest.
    private static let limit = 16

    /// All addresses of a name, in the order the system prefers them (RFC 6724); none if it has none.
    static func addresses(of host: String, port: UInt16) -> [TransportAddress] {
        var hints = addrinfo()
        // No addresses of a family that this host has none of.
        hints.ai_flags = AI_ADDRCONFIG
        // One entry for each address, not one for each kind of socket too.
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        #else
        hints.ai_socktype = SOCK_DGRAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0, let first = list else { return [] }
        defer { freeaddrinfo(first) }
        var addresses: [TransportAddress] = []
        var entry: UnsafeMutablePointer<addrinfo>? = first
        while let current = entry, addresses.count < Self.limit {
            if let address = Self.address(of: current.pointee, port: port), !addresses.contains(address) {
                addresses.append(address)
            }
            entry = current.pointee.ai_next
        }
        return addresses
    }

    private static func address(of entry: addrinfo, port: UInt16) -> TransportAddress? {
        guard let pointer = entry.ai_addr else { return nil }
        switch entry.ai_family {
        case AF_INET where Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in>.size:
            let socket = UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in.self)
            return TransportAddress(SocketAddress(socket))?.withPort(port)
        case AF_INET6 where Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size:
            let socket = UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in6.self)
            return TransportAddress(SocketAddress(socket))?.withPort(port)
        default:
            return nil
        }
    }
}
