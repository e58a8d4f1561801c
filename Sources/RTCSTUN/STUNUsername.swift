/// The USERNAME of a connectivity check: `receiver's ufrag:sender's ufrag` (RFC 8445 section 7.2.2).
public enum STUNUsername {
    /// The receiver's ufrag in a binding request, without reading the message further than its USERNAME.
    ///
    /// For routing first contact on a shared port. Nothing is authenticated here.
    ///
    /// - Returns: `nil` if the datagram is not a binding request, has no USERNAME, or that has no colon or begins with
    ///   one.
    public static func localUfrag(ofBindingRequest datagram: RawSpan) -> String? {
        guard STUNMessage.isSTUN(datagram), let type: UInt16 = datagram.bigEndian(at: 0), type == 0x0001 else {
            return nil
        }
        var ufrag: String?
        STUNMessage.forEachAttribute(in: datagram) { type, value in
            if type == .messageIntegrity || type == .fingerprint { return false }
            guard type == .username else { return true }
            ufrag = value.withUnsafeBytes { bytes in
                // A ufrag has 256 characters at most (RFC 8839 section 5.4).
                guard let colon = bytes.prefix(257).firstIndex(of: 0x3A), colon > 0 else { return nil }
                return String(decoding: bytes.prefix(colon), as: UTF8.self)
            }
            return false
        }
        return ufrag
    }
}
