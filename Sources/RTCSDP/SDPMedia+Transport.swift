extension SDPMedia {
    /// The section's identification, unique in its description (RFC 5888 section 4).
    public var mid: String? {
        get { self.attributes[first: "mid"] }
        set { self.attributes[first: "mid"] = newValue }
    }

    /// Whether the section is to be used only if it is bundled; its port is then 0 (RFC 9143 section 6).
    public var bundleOnly: Bool {
        get { self.attributes.contains("bundle-only") }
        set { self.attributes.setFlag("bundle-only", newValue) }
    }

    /// The candidates, in order; malformed ones are left out (RFC 8839 section 5.1).
    public var candidates: [SDPCandidate] {
        get { self.attributes.values("candidate") }
        set { self.attributes.setValues("candidate", newValue) }
    }

    /// Adds a candidate behind the last one, or at the end.
    public mutating func append(_ candidate: SDPCandidate) {
        self.attributes.appendBesideOthers("candidate", candidate.attributeValue)
    }
}

// MARK: SCTP

extension SDPMedia {
    /// The SCTP port, 0 to 65535 (RFC 8841 section 5).
    public var sctpPort: Int? {
        get { self.attributes.number("sctp-port", as: UInt16.self).map { Int($0) } }
        set { self.attributes[first: "sctp-port"] = newValue.map { String($0) } }
    }

    /// The largest message that the sender takes, in bytes; 0 is any size, `nil` means 65,536 (RFC 8841 section 6).
    public var maxMessageSize: UInt64? {
        get { self.attributes.number("max-message-size") }
        set { self.attributes[first: "max-message-size"] = newValue.map { String($0) } }
    }

    /// The SCTP association as descriptions before RFC 8841 named it: `m=application 9 DTLS/SCTP 5000`.
    public var sctpmap: SDPSCTPMap? {
        get { self.attributes.value("sctpmap") }
        set { self.attributes.setValue("sctpmap", newValue) }
    }

    /// The SCTP port of data channels in the present or the older form; `nil` for sections that are no data channels'.
    public var dataChannelPort: Int? {
        switch self.proto {
        case "UDP/DTLS/SCTP", "TCP/DTLS/SCTP":
            return self.formats.contains("webrtc-datachannel") ? self.sctpPort : nil
        case "DTLS/SCTP", "SCTP/DTLS":
            // Between the two forms some wrote the new format behind the old protocol.
            if self.formats.contains("webrtc-datachannel") { return self.sctpPort ?? self.sctpmap.map { Int($0.port) } }
            guard let map = self.sctpmap, map.application == "webrtc-datachannel",
                self.formats.contains(String(map.port))
            else { return nil }
            return Int(map.port)
        default:
            return nil
        }
    }
}

// MARK: RTCP

extension SDPMedia {
    /// Whether RTP and RTCP share one port (RFC 5761 section 5.1.1).
    public var rtcpMux: Bool {
        get { self.attributes.contains("rtcp-mux") }
        set { self.attributes.setFlag("rtcp-mux", newValue) }
    }

    /// Whether the sender cannot do without sharing that port (RFC 8858).
    public var rtcpMuxOnly: Bool {
        get { self.attributes.contains("rtcp-mux-only") }
        set { self.attributes.setFlag("rtcp-mux-only", newValue) }
    }

    /// Whether reduced-size RTCP may be sent (RFC 5506 section 5).
    public var rtcpRsize: Bool {
        get { self.attributes.contains("rtcp-rsize") }
        set { self.attributes.setFlag("rtcp-rsize", newValue) }
    }

    /// The port and address of RTCP (RFC 3605).
    public var rtcp: SDPRTCPAddress? {
        get { self.attributes.value("rtcp") }
        set { self.attributes.setValue("rtcp", newValue) }
    }
}
