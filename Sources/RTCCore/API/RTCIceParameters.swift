import RTCICE

/// The ufrag and password of one side's generation (W3C webrtc-pc section 5.6.2).
public struct RTCIceParameters: Sendable, Hashable {
    /// The user name fragment.
    public let usernameFragment: String
    /// The password.
    public let password: String

    init(_ credentials: ICECredentials) {
        self.usernameFragment = credentials.ufrag
        self.password = credentials.password
    }
}

extension RTCIceParameters: CustomStringConvertible {
    /// The ufrag; never the password.
    public var description: String { "RTCIceParameters(ufrag \(self.usernameFragment))" }
}
