/// What a paced packet carries; whoever stands first leaves first.
public enum PacketPriority: UInt8, Sendable, Hashable, CaseIterable, Comparable {
    /// Sound.
    case audio
    /// What the peer asked for again.
    case retransmission
    /// Pictures.
    case video
    /// Redundancy for pictures.
    case forwardErrorCorrection
    /// Padding that is worth sending only when nothing else waits.
    case padding

    /// Orders by urgency, the most urgent first.
    public static func < (lhs: PacketPriority, rhs: PacketPriority) -> Bool { lhs.rawValue < rhs.rawValue }
}
