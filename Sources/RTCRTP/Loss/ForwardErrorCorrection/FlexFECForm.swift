/// The two forms of FlexFEC's header, which do not understand each other: their names in SDP differ.
package enum FlexFECForm: Sendable, Hashable, CaseIterable {
    /// What browsers speak (draft-ietf-payload-flexible-fec-scheme-03): the header names the protected stream.
    case draft03
    /// RFC 8627: the list of contributing sources in the RTP header names the protected stream.
    case rfc8627

    /// The name in `a=rtpmap`.
    package var sdpName: String {
        switch self {
        case .draft03: "flexfec-03"
        case .rfc8627: "flexfec"
        }
    }

    /// How many packets in a row a mask can name.
    package var maskCapacity: Int { self == .draft03 ? 109 : FlexFECMask.capacity }

    /// The size in bytes of what precedes the mask.
    var sizeBeforeMask: Int { self == .draft03 ? 18 : 10 }

    /// The value of a k bit after which the mask ends.
    var lastPartFlag: UInt8 { self == .draft03 ? 1 : 0 }
}
