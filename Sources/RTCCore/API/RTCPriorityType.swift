/// How urgent data is (W3C webrtc-priority section 3, RFC 8831 section 6.4).
public enum RTCPriorityType: String, Sendable, Hashable {
    /// Half the weight of ``low``: 128 (RFC 8832 section 5.1).
    case veryLow = "very-low"
    /// What most channels have: 256.
    case low
    /// Twice the weight of ``low``: 512.
    case medium
    /// Four times the weight of ``low``: 1024.
    case high

    /// The value of RFC 8832 section 5.1.
    package var value: UInt16 {
        switch self {
        case .veryLow: return 128
        case .low: return 256
        case .medium: return 512
        case .high: return 1024
        }
    }

    /// The priority that a value on the wire stands for: the nearest of the four (RFC 8832 section 5.1).
    package init(value: UInt16) {
        switch value {
        case ...192: self = .veryLow
        case ...384: self = .low
        case ...768: self = .medium
        default: self = .high
        }
    }
}
