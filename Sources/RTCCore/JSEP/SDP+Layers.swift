import RTCBase
import RTCDTLS
import RTCSDP

extension SDPConnection {
    /// The `c=` line for a candidate's address.
    init(_ address: TransportAddress) {
        self.init(addressType: address.family == .ipv4 ? "IP4" : "IP6", address: address.ip)
    }
}

extension SDPSession {
    /// Whether any level says that candidates may come one by one (RFC 8838 section 3).
    var offersTrickle: Bool {
        self.iceOptions.contains("trickle") || self.media.contains { $0.iceOptions.contains("trickle") }
    }
}

extension DTLSFingerprint {
    /// The DTLS layer's form; `nil` for hash functions that prove too little.
    init?(_ fingerprint: SDPFingerprint) {
        guard let algorithm = Algorithm(rawValue: fingerprint.algorithm) else { return nil }
        self.init(algorithm: algorithm, bytes: fingerprint.value)
    }
}
