/// Where a packet belongs.
public struct RTPRoute: Sendable, Hashable {
    /// What a packet is for.
    public enum Role: UInt8, Sendable, Hashable {
        /// Media.
        case primary
        /// It repeats packets of another stream (RFC 4588).
        case retransmission
        /// It repairs packets of another stream (RFC 8627).
        case forwardErrorCorrection
    }

    /// The number that the caller gave the section.
    public internal(set) var section: Int
    /// Which of the section's encodings, from 0, in the order in which they were given; `nil` if it has none.
    public internal(set) var encoding: Int?
    /// What the packet is for.
    public internal(set) var role: Role
    /// The stream that a retransmission or repair is about; `nil` for media, and while that stream is not known.
    public internal(set) var protectedSSRC: SSRC?
    /// Whether the stream has been learned, or learned anew, with this very packet.
    public internal(set) var isNew: Bool

    init(section: Int, encoding: Int?, role: Role, protectedSSRC: SSRC? = nil, isNew: Bool = false) {
        self.section = section
        self.encoding = encoding
        self.role = role
        self.protectedSSRC = protectedSSRC
        self.isNew = isNew
    }
}
