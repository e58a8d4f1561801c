import NIOCore

/// The states of a session as its user sees them.
struct SessionStates {
    var iceTransport: RTCIceTransportState = .new
    var iceConnection: RTCIceConnectionState = .new
    var iceGathering: RTCIceGatheringState = .new
    var connection: RTCPeerConnectionState = .new
    var sctp: RTCSctpTransportState?
    /// When ICE is to be shown as completed, if it is already.
    private(set) var completionDeadline: NIODeadline?

    /// A pair that works is shown as connected for a moment even if no better one can come: whoever waits for the state by name, as is
    /// common, must not find that it was passed over.
    mutating func showConnectedFirst(_ state: RTCIceTransportState, now: NIODeadline) -> RTCIceTransportState {
        guard state == .completed, self.iceTransport != .completed else {
            self.completionDeadline = nil
            return state
        }
        let deadline = self.completionDeadline ?? now + Self.timeBeforeCompletion
        self.completionDeadline = deadline
        guard now < deadline else {
            self.completionDeadline = nil
            return .completed
        }
        return .connected
    }

    private static let timeBeforeCompletion = TimeAmount.seconds(2)

    /// The connection state that follows from the transports' (W3C webrtc-pc section 4.3.3); with bundling there is one of each.
    static func connection(ice: RTCIceTransportState, dtls: RTCDtlsTransportState) -> RTCPeerConnectionState {
        if ice == .failed || dtls == .failed { return .failed }
        if ice == .disconnected { return .disconnected }
        switch (ice, dtls) {
        case (.closed, _): return .closed
        case (.new, .new), (.new, .closed): return .new
        case (.connected, .connected), (.completed, .connected), (.connected, .closed), (.completed, .closed):
            return .connected
        default: return .connecting
        }
    }

    /// The ICE connection state that follows from the transport's (W3C webrtc-pc section 4.3.4).
    static func iceConnection(_ transport: RTCIceTransportState) -> RTCIceConnectionState {
        switch transport {
        case .closed: return .closed
        case .failed: return .failed
        case .disconnected: return .disconnected
        case .new: return .new
        case .checking: return .checking
        case .completed: return .completed
        case .connected: return .connected
        }
    }
}
