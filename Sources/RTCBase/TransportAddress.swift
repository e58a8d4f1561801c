public import NIOCore

/// An IP address, a port and the transport protocol that the port belongs to, as one flat value (RFC 8445 section 4).
///
/// swift-nio's `SocketAddress` is a reference inside an enum; tables that are consulted for every datagram are keyed by
/// this value instead, which hashes and compares without following a pointer.
public struct TransportAddress: Sendable {
    /// The address family.
    public enum Family: UInt8, Sendable, Hashable {
        /// IPv4: 32 bits.
        case ipv4 = 4
        /// IPv6: 128 bits, and a zone for link-local addresses.
        case ipv6 = 6
    }

    /// The transport protocol of a port.
    public enum Transport: UInt8, Sendable, Hashable {
        /// UDP.
        case udp = 17
        /// TCP.
        case tcp = 6
    }

    /// The address family.
    public let family: Family
    /// The protocol that the port belongs to; UDP unless said otherwise.
    public var transport = Transport.udp
    /// The port, 0 to 65535, in host byte order.
    public var port: UInt16
    /// The IPv6 zone of a link-local address, 0 if none. Always 0 for IPv4.
    public var scopeID: UInt32
    /// The first eight bytes of an IPv6 address in network order; 0 for IPv4.
    @usableFromInline let high: UInt64
    /// The last eight bytes of an IPv6 address, or the four bytes of an IPv4 address, in network order.
    @usableFromInline let low: UInt64

    /// An IPv4 address from its 32 bits in host byte order (`0x7F000001` is 127.0.0.1).
    public init(ipv4 bits: UInt32, port: UInt16) {
        self.family = .ipv4
        self.port = port
        self.scopeID = 0
        self.high = 0
        self.low = UInt64(bits)
    }

    /// An IPv6 address from its two halves in host byte order.
    public init(ipv6High high: UInt64, low: UInt64, port: UInt16, scopeID: UInt32 = 0) {
        self.family = .ipv6
        self.port = port
        self.scopeID = scopeID
        self.high = high
        self.low = low
    }

    /// Parses a literal such as `192.0.2.1` or `2001:db8::1` (RFC 5952 and older forms; a `%zone` suffix is refused).
    ///
    /// - Returns: `nil` for anything that is not an IP literal; host names are never resolved.
    public init?(ip: some StringProtocol, port: UInt16) {
        guard !ip.contains("%"), let address = try? SocketAddress(ipAddress: String(ip), port: Int(port)),
            let parsed = TransportAddress(address)
        else { return nil }
        self = parsed
    }

    /// The same address as a value, `nil` for Unix domain sockets.
    public init?(_ address: SocketAddress) {
        switch address {
        case .v4(let v4):
            let (port, bits) = withUnsafeBytes(of: v4.address) { socket in
                (
                    UInt16(bigEndian: socket.loadUnaligned(fromByteOffset: Layout.port, as: UInt16.self)),
                    UInt32(bigEndian: socket.loadUnaligned(fromByteOffset: Layout.ipv4, as: UInt32.self))
                )
            }
            self.init(ipv4: bits, port: port)
        case .v6(let v6):
            self = withUnsafeBytes(of: v6.address) { socket in
                TransportAddress(
                    ipv6High: UInt64(bigEndian: socket.loadUnaligned(fromByteOffset: Layout.ipv6, as: UInt64.self)),
                    low: UInt64(bigEndian: socket.loadUnaligned(fromByteOffset: Layout.ipv6 + 8, as: UInt64.self)),
                    port: UInt16(bigEndian: socket.loadUnaligned(fromByteOffset: Layout.port, as: UInt16.self)),
                    scopeID: socket.loadUnaligned(fromByteOffset: Layout.scope, as: UInt32.self)
                )
            }
        case .unixDomainSocket:
            return nil
        }
    }

    /// The bytes of the IP address in network order: 4 or 16 of them.
    public var ipBytes: [UInt8] {
        switch self.family {
        case .ipv4:
            return (0..<4).map { UInt8(truncatingIfNeeded: self.low >> (24 - 8 * UInt64($0))) }
        case .ipv6:
            return (0..<16).map { index in
                let half = index < 8 ? self.high : self.low
                return UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64(index & 7)))
            }
        }
    }

    /// An address from 4 or 16 bytes in network order; `nil` for any other count.
    public init?(ipBytes: some Collection<UInt8>, port: UInt16) {
        switch ipBytes.count {
        case 4:
            self.init(ipv4: ipBytes.reduce(0) { $0 << 8 | UInt32($1) }, port: port)
        case 16:
            self.init(
                ipv6High: ipBytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: ipBytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) },
                port: port
            )
        default:
            return nil
        }
    }

    /// The high half of an IPv6 address in host byte order; 0 for IPv4.
    public var ipv6High: UInt64 { self.high }
    /// The low half of an IPv6 address, or the 32 bits of an IPv4 address, in host byte order.
    public var ipLow: UInt64 { self.low }

    /// The same address as a port of another protocol.
    public func over(_ transport: Transport) -> TransportAddress {
        var copy = self
        copy.transport = transport
        return copy
    }

    /// The same IP address with another port.
    public func withPort(_ port: UInt16) -> TransportAddress {
        var copy = self
        copy.port = port
        return copy
    }

    /// Where the fields of `sockaddr_in` and `sockaddr_in6` stand, on Linux and Darwin alike. The fields' own names would
    /// need the platform's C module, which differs from one platform to the next.
    private enum Layout {
        static let port = 2
        static let ipv4 = 4
        static let ipv6 = 8
        static let scope = 24
    }

    /// swift-nio's form of this address. Allocates: keep it where it is needed often.
    public var socketAddress: SocketAddress {
        switch self.family {
        case .ipv4:
            guard case .v4(let template) = Self.template4 else { return Self.template4 }
            var socket = template.address
            withUnsafeMutableBytes(of: &socket) { bytes in
                bytes.storeBytes(of: self.port.bigEndian, toByteOffset: Layout.port, as: UInt16.self)
                let bits = UInt32(truncatingIfNeeded: self.low)
                bytes.storeBytes(of: bits.bigEndian, toByteOffset: Layout.ipv4, as: UInt32.self)
            }
            return SocketAddress(socket, host: "")
        case .ipv6:
            guard case .v6(let template) = Self.template6 else { return Self.template6 }
            var socket = template.address
            withUnsafeMutableBytes(of: &socket) { bytes in
                bytes.storeBytes(of: self.port.bigEndian, toByteOffset: Layout.port, as: UInt16.self)
                bytes.storeBytes(of: self.high.bigEndian, toByteOffset: Layout.ipv6, as: UInt64.self)
                bytes.storeBytes(of: self.low.bigEndian, toByteOffset: Layout.ipv6 + 8, as: UInt64.self)
                bytes.storeBytes(of: self.scopeID, toByteOffset: Layout.scope, as: UInt32.self)
            }
            return SocketAddress(socket, host: "")
        }
    }

    private static let template4 = Self.literal("127.0.0.1")
    private static let template6 = Self.literal("::1")

    private static func literal(_ text: String) -> SocketAddress {
        do {
            return try SocketAddress(ipAddress: text, port: 0)
        } catch {
            preconditionFailure("\(text) is an address literal: \(error)")
        }
    }
}

extension TransportAddress: Hashable {
    /// Whether family, address, port, protocol and zone are the same.
    @inlinable
    public static func == (lhs: TransportAddress, rhs: TransportAddress) -> Bool {
        lhs.low == rhs.low && lhs.port == rhs.port && lhs.high == rhs.high && lhs.family == rhs.family
            && lhs.transport == rhs.transport && lhs.scopeID == rhs.scopeID
    }

    /// Mixes address and port into a hash.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.low)
        hasher.combine(self.high)
        hasher.combine(UInt64(self.transport.rawValue) << 48 | UInt64(self.port) << 32 | UInt64(self.scopeID))
    }
}

extension TransportAddress {
    /// Whether this is 127.0.0.0/8 or ::1.
    public var isLoopback: Bool {
        switch self.family {
        case .ipv4: return self.low >> 24 == 127
        case .ipv6: return self.high == 0 && self.low == 1
        }
    }

    /// Whether this is 169.254.0.0/16 or fe80::/10.
    public var isLinkLocal: Bool {
        switch self.family {
        case .ipv4: return self.low >> 16 == 0xA9FE
        case .ipv6: return self.high >> 54 == 0x3FA
        }
    }

    /// Whether this is a multicast address (224.0.0.0/4, ff00::/8).
    public var isMulticast: Bool {
        switch self.family {
        case .ipv4: return self.low >> 28 == 0xE
        case .ipv6: return self.high >> 56 == 0xFF
        }
    }

    /// Whether this is the unspecified address (0.0.0.0 or ::).
    public var isUnspecified: Bool { self.high == 0 && self.low == 0 }

    /// Whether this is an address of a private network (RFC 1918, RFC 6598, RFC 4193).
    public var isPrivate: Bool {
        switch self.family {
        case .ipv4:
            return self.low >> 24 == 10 || self.low >> 20 == 0xAC1 || self.low >> 16 == 0xC0A8
                || self.low >> 22 == 0x191
        case .ipv6: return self.high >> 57 == 0x7E
        }
    }

    /// The address without the port, as RFC 5952 writes it.
    public var ip: String {
        self.family == .ipv4
            ? self.ipBytes.map(String.init).joined(separator: ".")
            : self.socketAddress.ipAddress ?? "::"
    }
}

extension TransportAddress: CustomStringConvertible {
    /// `192.0.2.1:5000` or `[2001:db8::1]:5000`.
    public var description: String {
        self.family == .ipv4 ? "\(self.ip):\(self.port)" : "[\(self.ip)]:\(self.port)"
    }
}
