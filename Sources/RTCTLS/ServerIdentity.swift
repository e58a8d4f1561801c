package import NIOSSL
import RTCBase

/// Whom a client asked for, as the server's certificate has to name it (RFC 9525).
///
/// NIOSSL takes a certificate for a host that was asked for by name also if it is for the address that the name led to. Then who
/// answers for names, and has a certificate for an address of their own, could take any name's place; so names are compared here
/// again: a name with the names in the certificate, an address with the addresses, and neither with the other.
package struct ServerIdentity: Sendable, Hashable {
    private enum Reference: Sendable, Hashable {
        /// The labels of a domain name, in lower case.
        case name([ArraySlice<UInt8>])
        /// 4 or 16 bytes.
        case address([UInt8])
        /// Nothing that a certificate can be for.
        case none
    }

    private let reference: Reference

    /// The bytes of a domain name that can be looked up (RFC 1035 section 2.3.4).
    private static let maximumNameLength = 253

    /// - Parameter host: A domain name, with or without the root's dot, or an address without brackets.
    package init(host: String) {
        if let address = TransportAddress(ip: host, port: 0) {
            self.reference = .address(address.ipBytes)
        } else {
            var bytes = Array(host.utf8)
            if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
            let labels = Self.labels(bytes)
            let isName = bytes.count <= Self.maximumNameLength && labels.allSatisfy(Self.isLabel)
            self.reference = isName ? .name(labels) : .none
        }
    }

    /// Whether TLS tells the server the host (SNI): names only (RFC 6066 section 3).
    package var isAddress: Bool { if case .address = self.reference { true } else { false } }

    /// Whether a certificate is for this server, by its subject alternative names alone: the subject's own is for people
    /// (RFC 9525 section 2).
    package func matches(_ certificate: NIOSSLCertificate) -> Bool {
        certificate._subjectAlternativeNames().contains { name in
            switch name.nameType {
            case .dnsName: self.matches(name: Array(name.contents))
            case .ipAddress: self.matches(address: Array(name.contents))
            default: false
            }
        }
    }

    /// Whether a dNSName stands for this server (RFC 9525 section 6.3): label by label whatever the case, and `*` for the whole first
    /// label of one.
    package func matches(name: [UInt8]) -> Bool {
        guard case .name(let labels) = self.reference, name.count <= Self.maximumNameLength else { return false }
        var presented = Self.labels(name)
        guard presented.count == labels.count else { return false }
        let isWildcard = presented.count > 1 && presented[0].elementsEqual([UInt8(ascii: "*")])
        if isWildcard { presented.removeFirst() }
        return presented.allSatisfy(Self.isLabel) && labels.suffix(presented.count).elementsEqual(presented)
    }

    /// Whether an iPAddress stands for this server: the same bytes (RFC 9525 section 6.4).
    package func matches(address: [UInt8]) -> Bool { self.reference == .address(address) }

    private static func labels(_ name: [UInt8]) -> [ArraySlice<UInt8>] {
        let lowercased = name.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        return lowercased.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        (1...63).contains(label.count)
            && label.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                // Names of services have underscores (RFC 8552).
                case UInt8(ascii: "-"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }
}
