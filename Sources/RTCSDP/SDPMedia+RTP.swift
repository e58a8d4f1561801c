extension SDPMedia {
    /// The streams and tracks that the section's media belongs to (RFC 8830 section 2).
    public var msids: [SDPMediaStreamID] {
        get { self.attributes.values("msid") }
        set { self.attributes.setValues("msid", newValue) }
    }

    /// The codecs behind the payload types (RFC 8866 section 6.6).
    public var rtpmaps: [SDPRTPMap] {
        get { self.attributes.values("rtpmap") }
        set { self.attributes.setValues("rtpmap", newValue) }
    }

    /// The parameters of the formats (RFC 8866 section 6.15).
    public var fmtps: [SDPFormatParameters] {
        get { self.attributes.values("fmtp") }
        set { self.attributes.setValues("fmtp", newValue) }
    }

    /// The feedback messages that may be used (RFC 4585 section 4.2).
    public var rtcpFeedback: [SDPRTCPFeedback] {
        get { self.attributes.values("rtcp-fb") }
        set { self.attributes.setValues("rtcp-fb", newValue) }
    }

    /// The attributes of single sources (RFC 5576 section 4.1).
    public var ssrcs: [SDPSourceAttribute] {
        get { self.attributes.values("ssrc") }
        set { self.attributes.setValues("ssrc", newValue) }
    }

    /// The groups of sources (RFC 5576 section 4.2).
    public var ssrcGroups: [SDPSourceGroup] {
        get { self.attributes.values("ssrc-group") }
        set { self.attributes.setValues("ssrc-group", newValue) }
    }

    /// The restrictions of single encodings (RFC 8851).
    public var rids: [SDPRID] {
        get { self.attributes.values("rid") }
        set { self.attributes.setValues("rid", newValue) }
    }

    /// The simulcast streams (RFC 8853).
    public var simulcast: SDPSimulcast? {
        get { self.attributes.value("simulcast") }
        set { self.attributes.setValue("simulcast", newValue) }
    }

    /// How much media a packet should hold, in whole milliseconds; `nil` too for a fraction (RFC 8866 section 6.4).
    public var ptime: Int? {
        get { self.attributes.number("ptime", as: UInt32.self).map { Int($0) } }
        set { self.attributes[first: "ptime"] = newValue.map { String($0) } }
    }

    /// How much media a packet may hold at most, in whole milliseconds; `nil` too for a fraction
    /// (RFC 8866 section 6.5).
    public var maxptime: Int? {
        get { self.attributes.number("maxptime", as: UInt32.self).map { Int($0) } }
        set { self.attributes[first: "maxptime"] = newValue.map { String($0) } }
    }

    /// The codec of one payload type.
    public func rtpmap(of payloadType: UInt8) -> SDPRTPMap? {
        self.rtpmaps.first { $0.payloadType == payloadType }
    }

    /// The parameters of one format.
    public func fmtp(of format: String) -> SDPFormatParameters? {
        self.fmtps.first { $0.format == format }
    }
}
