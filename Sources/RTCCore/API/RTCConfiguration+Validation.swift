public import RTCBase
import RTCDTLS

extension RTCConfiguration {
    /// Checks what W3C webrtc-pc section 4.4.1.1 has a constructor check.
    ///
    /// - Throws: `RTCError.Code.syntax` and `RTCError.Code.invalidAccess` for servers and certificates,
    ///   `RTCError.Code.type` for what is out of range.
    public func validate() throws(RTCError) {
        for server in self.iceServers { try server.validate() }
        for certificate in self.certificates where certificate.dtls.isExpired {
            throw RTCError(.invalidAccess, "a certificate has expired")
        }
        guard self.maximumMessageSize >= 1, self.maximumMessageSize <= 1 << 30 else {
            throw RTCError(.type, "maximumMessageSize is \(self.maximumMessageSize), not 1 to 1 GiB")
        }
    }

    /// Checks that `new` changes only what may change (W3C webrtc-pc section 4.4.1.6).
    ///
    /// - Throws: `RTCError.Code.invalidModification`.
    public func checkChange(to new: RTCConfiguration, hasLocalDescription: Bool) throws(RTCError) {
        func refuse(_ what: String) -> RTCError { RTCError(.invalidModification, "\(what) cannot be changed any more") }

        if !new.certificates.isEmpty {
            let same = new.certificates.map(\.fingerprints) == self.certificates.map(\.fingerprints)
            guard same else { throw refuse("certificates") }
        }
        guard new.bundlePolicy == self.bundlePolicy else { throw refuse("bundlePolicy") }
        guard new.rtcpMuxPolicy == self.rtcpMuxPolicy else { throw refuse("rtcpMuxPolicy") }
        if hasLocalDescription, new.iceCandidatePoolSize != self.iceCandidatePoolSize {
            throw refuse("iceCandidatePoolSize")
        }
    }
}
