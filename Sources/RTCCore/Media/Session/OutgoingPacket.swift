import RTCRTP

/// What a packet is sent as.
enum OutgoingPacketRole {
    /// For the first time.
    case media
    /// Again, in the stream of retransmissions.
    case retransmission
    /// In the stream of forward error correction.
    case correction
}

/// A packet as it is kept until it is sent, and afterwards in case that it is asked for again: where its content lies, and the
/// header that it gets.
struct OutgoingPacket {
    /// The packet as it came, or as it was made.
    var source: RTPPacket
    /// The fixed fields that it is sent with.
    var header: RTPHeader
    /// Which header extensions of ``source`` are kept.
    var remap: HeaderExtensionRemap
    /// The payload type of its retransmission, if any was agreed upon.
    var rtx: PayloadType?
    /// The header that it was sent with, where it can only be repeated as it was.
    var sentHeader: [UInt8]?
}
