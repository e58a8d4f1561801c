/// In which direction the sender of the description has media flow (RFC 8866 section 6.7).
public enum SDPDirection: String, Sendable, Hashable, CaseIterable {
    /// Media both ways.
    case sendrecv
    /// Media from the author of the description only.
    case sendonly
    /// Media to the author of the description only.
    case recvonly
    /// No media either way.
    case inactive

    /// The same flow as the other side describes it.
    public var reversed: SDPDirection {
        switch self {
        case .sendonly: return .recvonly
        case .recvonly: return .sendonly
        case .sendrecv, .inactive: return self
        }
    }

    /// Whether the sender of the description sends media.
    public var sends: Bool { self == .sendrecv || self == .sendonly }
    /// Whether the sender of the description receives media.
    public var receives: Bool { self == .sendrecv || self == .recvonly }

    /// The flow from what is sent and received.
    public init(sends: Bool, receives: Bool) {
        switch (sends, receives) {
        case (true, true): self = .sendrecv
        case (true, false): self = .sendonly
        case (false, true): self = .recvonly
        case (false, false): self = .inactive
        }
    }
}
