public import NIOCore
public import RTCRTP

/// An RTP packet as a peer sent it, decrypted.
public struct RTCReceivedPacket: Sendable {
    /// The packet.
    public var packet: RTPPacket
    /// What the numbers in it mean.
    public var format: RTPStreamFormat
    /// Which of the peer's simulcast encodings it belongs to, from 0; 0 without simulcast.
    public var encoding: Int
    /// When it came.
    public var arrival: NIODeadline
    /// Whether it was lost first and then sent again, or reconstructed.
    public var isRecovered: Bool

    /// A packet.
    public init(
        packet: RTPPacket,
        format: RTPStreamFormat,
        encoding: Int = 0,
        arrival: NIODeadline,
        isRecovered: Bool = false
    ) {
        self.packet = packet
        self.format = format
        self.encoding = encoding
        self.arrival = arrival
        self.isRecovered = isRecovered
    }
}
