/// What protects packets: the boundary behind which the engines can be exchanged.
///
/// The caller has checked lengths, room and layout.
protocol SRTPSendingEngine: AnyObject {
    /// Protects an RTP packet to `destination`, which is `header` with the payload right behind it, or has nothing in common
    /// with either. `nil` is success.
    func protectRTP(
        _ layout: RTPLayout,
        header: UnsafeRawPointer,
        payload: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawPointer
    ) -> SRTPProtectError?

    /// Protects an RTCP packet to `destination`, which is the packet or has nothing in common with it. `nil` is success.
    func protectRTCP(
        _ packet: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawPointer
    ) -> SRTPProtectError?
}

/// What unprotects packets: the other direction of ``SRTPSendingEngine``.
protocol SRTPReceivingEngine: AnyObject {
    /// Unprotects in place an SRTP packet of `count` bytes, tag included. `nil` is success.
    func unprotectRTP(
        _ layout: RTPLayout,
        _ packet: UnsafeMutableRawPointer,
        count: Int
    ) -> SRTPUnprotectFailure?

    /// Unprotects in place an SRTCP packet of `count` bytes, tag and index included. `nil` is success.
    func unprotectRTCP(_ packet: UnsafeMutableRawPointer, count: Int) -> SRTPUnprotectFailure?

    /// How many streams there is state for, RTP and RTCP together.
    var streamCount: Int { get }
}
