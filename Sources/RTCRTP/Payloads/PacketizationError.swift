/// Why a frame cannot be sent. Nothing of it has been emitted.
public enum PacketizationError: Error, Sendable, Hashable {
    /// The frame has no bytes, or nothing in it may be sent.
    case emptyFrame
    /// The frame is not what its codec's encoder gives: no start code, a broken OBU.
    case malformedFrame
    /// The payload must be allowed to have at least this many bytes.
    case maximumPayloadSizeTooSmall(minimum: Int)
    /// A part of this many bytes fits into no packet, and the format or the negotiated mode cannot divide it.
    case indivisible(byteCount: Int)
    /// The frame would need more packets than sequence numbers can keep apart.
    case tooManyPackets
    /// A unit of this type has no place in an RTP packet of this format.
    case unsupportedUnit(type: UInt8)
    /// The description of the layers does not fit the format.
    case invalidLayer
}

/// How many packets one frame may need: half of what sequence numbers tell apart.
let maximumPacketsPerFrame = 32_768

/// Throws unless a frame of `byteCount` bytes can go into packets that take `capacity` bytes of it each.
func requireDivisible(byteCount: Int, capacity: Int) throws(PacketizationError) {
    guard byteCount > 0 else { throw .emptyFrame }
    guard byteCount / maximumPacketsPerFrame < capacity else { throw .tooManyPackets }
}
