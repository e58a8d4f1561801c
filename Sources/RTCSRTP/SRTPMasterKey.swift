/// What the keys of one direction are derived from: the write key and salt that DTLS exports for one side (RFC 5764 section
/// 4.2).
public struct SRTPMasterKey: Sendable, Hashable {
    /// The master key; ``SRTPProfile/keyLength`` bytes.
    public var key: [UInt8]
    /// The master salt; ``SRTPProfile/saltLength`` bytes.
    public var salt: [UInt8]

    /// A master key and its salt.
    public init(key: [UInt8], salt: [UInt8]) {
        self.key = key
        self.salt = salt
    }
}

extension SRTPMasterKey: CustomStringConvertible {
    /// The lengths; never the bytes.
    public var description: String { "SRTPMasterKey(\(self.key.count) + \(self.salt.count) bytes)" }
}
