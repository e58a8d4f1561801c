import RTCRTP

/// When two descriptions of a codec mean the same format, and what an answer says of it: each codec by its own rules.
enum CodecMatching {
    /// Whether a codec of ours and one of the peer are the same format, levels aside.
    ///
    /// Retransmission and redundancy match by name and clock alone: what they carry is compared elsewhere.
    static func matches(_ local: RTCRtpCodec, _ remote: RTCRtpCodec) -> Bool {
        guard local.kind == remote.kind, local.isNamed(remote.name), local.clockRate == remote.clockRate,
            local.kind == .video || local.channels ?? 1 == remote.channels ?? 1
        else { return false }
        let ours = FormatParameters(local.sdpFmtpLine)
        let theirs = FormatParameters(remote.sdpFmtpLine)
        switch local.name.lowercased() {
        case "h264": return self.matchesH264(ours, theirs)
        case "vp9":
            // RFC 9628 section 7: where nothing is written, profile 0.
            return self.areEqual(ours, theirs, "profile-id", default: 0)
        case "av1":
            // AV1 RTP section 7.2.3: the profile is not negotiable; level and tier tell what a decoder takes.
            return self.areEqual(ours, theirs, "profile", default: 0)
        case "h265":
            // RFC 7798 section 7.2.2: profile and tier are not negotiable, the level is.
            return self.areEqual(ours, theirs, "profile-space", default: 0)
                && self.areEqual(ours, theirs, "profile-id", default: 1)
                && self.areEqual(ours, theirs, "tier-flag", default: 0)
                && (ours["tx-mode"] ?? "SRST").uppercased() == (theirs["tx-mode"] ?? "SRST").uppercased()
        default: return true
        }
    }

    /// Whether two descriptions are of one capability, parameters included (W3C webrtc-pc section 5.2.9, "codec match").
    static func areSame(_ one: RTCRtpCodec, _ other: RTCRtpCodec) -> Bool {
        one.mimeType.lowercased() == other.mimeType.lowercased() && one.clockRate == other.clockRate
            && one.channels == other.channels
            && FormatParameters(one.sdpFmtpLine) == FormatParameters(other.sdpFmtpLine)
    }

    /// The parameters with which an answer takes up what the peer offered: what this side receives.
    static func answer(_ local: RTCRtpCodec, to remote: RTCRtpCodec) -> String? {
        let ours = FormatParameters(local.sdpFmtpLine)
        let theirs = FormatParameters(remote.sdpFmtpLine)
        switch local.name.lowercased() {
        case "h264": return self.answerH264(ours, theirs)
        case "h265": return self.answerH265(ours, theirs)
        case "av1": return self.answerAV1(ours, theirs)
        default: return local.sdpFmtpLine
        }
    }

    private static func areEqual(
        _ ours: FormatParameters,
        _ theirs: FormatParameters,
        _ name: String,
        default fallback: Int
    ) -> Bool {
        guard let one = ours.number(name, default: fallback), let other = theirs.number(name, default: fallback) else {
            return false
        }
        return one == other
    }

    // MARK: H.264 (RFC 6184 section 8.2.2)

    private static func matchesH264(_ ours: FormatParameters, _ theirs: FormatParameters) -> Bool {
        guard let one = self.profile(of: ours), let other = self.profile(of: theirs) else { return false }
        return one.profile == other.profile && self.areEqual(ours, theirs, "packetization-mode", default: 0)
    }

    private static func profile(of parameters: FormatParameters) -> H264ProfileLevelID? {
        guard let text = parameters["profile-level-id"] else { return .inferred }
        return H264ProfileLevelID(text)
    }

    private static func answerH264(_ ours: FormatParameters, _ theirs: FormatParameters) -> String? {
        guard let local = self.profile(of: ours), var answer = self.profile(of: theirs) else { return nil }
        let isAsymmetric = ours["level-asymmetry-allowed"] == "1" && theirs["level-asymmetry-allowed"] == "1"
        answer.level = isAsymmetric ? local.level : min(local.level, answer.level)
        var parts: [String] = []
        if isAsymmetric { parts.append("level-asymmetry-allowed=1") }
        parts.append("packetization-mode=\(theirs["packetization-mode"] ?? "0")")
        parts.append("profile-level-id=\(answer.text)")
        return parts.joined(separator: ";")
    }

    // MARK: H.265 (RFC 7798 section 7.2.2) and AV1

    private static func answerH265(_ ours: FormatParameters, _ theirs: FormatParameters) -> String {
        let level = min(ours.number("level-id", default: 93) ?? 93, theirs.number("level-id", default: 93) ?? 93)
        let profile = theirs.number("profile-id", default: 1) ?? 1
        let tier = theirs.number("tier-flag", default: 0) ?? 0
        let mode = (theirs["tx-mode"] ?? "SRST").uppercased()
        return "level-id=\(level);profile-id=\(profile);tier-flag=\(tier);tx-mode=\(mode)"
    }

    private static func answerAV1(_ ours: FormatParameters, _ theirs: FormatParameters) -> String {
        // Both say what they decode: the answer says it for this side.
        let level = ours.number("level-idx", default: 5) ?? 5
        let tier = ours.number("tier", default: 0) ?? 0
        return "level-idx=\(level);profile=\(theirs.number("profile", default: 0) ?? 0);tier=\(tier)"
    }
}
