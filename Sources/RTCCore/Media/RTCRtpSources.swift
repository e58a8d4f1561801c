public import NIOCore
public import RTCRTP

/// A source that was mixed into a stream (W3C webrtc-pc section 5.3, `RTCRtpContributingSource`).
public struct RTCRtpContributingSource: Sendable, Hashable {
    /// When media of it came last.
    public var timestamp: NIODeadline
    /// The source.
    public var source: SSRC
    /// How loud it was, 0 for silence to 1 for the loudest; `nil` if that was not told.
    public var audioLevel: Double?
    /// The RTP timestamp of the media.
    public var rtpTimestamp: UInt32
}

/// A stream that was received (W3C webrtc-pc section 5.3, `RTCRtpSynchronizationSource`).
public typealias RTCRtpSynchronizationSource = RTCRtpContributingSource

extension AudioLevel {
    /// W3C webrtc-pc section 5.3: 0 for silence, else 10^(−level/20).
    var linear: Double {
        guard self.level < 127 else { return 0 }
        return (1...Int(self.level) + 1).reduce(1.0) { value, step in
            step == 1 ? value : value * 0.891_250_938_133_745_6
        }
    }
}
