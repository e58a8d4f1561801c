/// The SCTP stack the peer runs, as far as it shows.
///
/// A peer that does not implement adding streams may leave the request unanswered, and requests without an answer end the
/// association. So it is asked only of a stack known to answer.
enum SCTPPeerImplementation {
    case unknown
    case usrsctp
    case other

    /// The maker of a state cookie.
    static func of(cookie: some Sequence<UInt8>) -> SCTPPeerImplementation {
        cookie.starts(with: "KAME-BSD".utf8) ? .usrsctp : .other
    }

    /// Looks at a packet for an INIT ACK, whose state cookie begins with its maker's mark in the usual stacks.
    static func identify(_ packet: UnsafeRawBufferPointer) -> SCTPPeerImplementation? {
        guard packet.count >= 36, packet[12] == 2 else { return nil }
        let end = min(packet.count, 12 + Int(packet.uint16(at: 14)))
        var offset = 32
        while offset + 4 <= end {
            let length = Int(packet.uint16(at: offset + 2))
            guard length >= 4 else { return nil }
            if packet.uint16(at: offset) == 7 {
                let cookie = packet[offset + 4..<max(offset + 4, min(offset + length, end))]
                return self.of(cookie: cookie)
            }
            offset += (length + 3) & ~3
        }
        return nil
    }
}
