/// A version of STOMP.
public enum STOMPVersion: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Without escapes, heart-beats and negative acknowledgements.
    case v1_0 = "1.0"
    /// With all of them.
    case v1_1 = "1.1"
    /// Carriage returns escaped too, and acknowledgements by an id of their own.
    case v1_2 = "1.2"

    /// The WebSocket subprotocol of the version.
    public var subprotocol: String {
        switch self {
        case .v1_0: return "v10.stomp"
        case .v1_1: return "v11.stomp"
        case .v1_2: return "v12.stomp"
        }
    }

    /// Older before newer.
    public static func < (left: STOMPVersion, right: STOMPVersion) -> Bool { left.rawValue < right.rawValue }
}
