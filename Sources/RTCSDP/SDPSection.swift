/// Something with attributes: a session, a media section, a fragment.
///
/// The typed properties read the first attribute of their name (lists read all), and are `nil` or leave out what is
/// malformed, which ``SDPSession/validate()`` reports. Setting one replaces the attribute in its place, or appends it.
public protocol SDPSection {
    /// The attributes, in order.
    var attributes: SDPAttributes { get set }
}

extension SDPSection {
    /// The ICE user fragment, 4 to 256 characters (RFC 8839 section 5.4).
    public var iceUfrag: String? {
        get { self.attributes[first: "ice-ufrag"] }
        set { self.attributes[first: "ice-ufrag"] = newValue }
    }

    /// The ICE password, 22 to 256 characters (RFC 8839 section 5.4).
    public var icePwd: String? {
        get { self.attributes[first: "ice-pwd"] }
        set { self.attributes[first: "ice-pwd"] = newValue }
    }

    /// The ICE options, such as `trickle`, `ice2`, `renomination` (RFC 8839 section 5.6).
    public var iceOptions: [String] {
        get { (self.attributes[first: "ice-options"] ?? "").split(separator: " ").map(String.init) }
        set { self.attributes[first: "ice-options"] = newValue.isEmpty ? nil : newValue.joined(separator: " ") }
    }

    /// The fingerprints of the sender's certificate (RFC 8122 section 5).
    public var fingerprints: [SDPFingerprint] {
        get { self.attributes.values("fingerprint") }
        set { self.attributes.setValues("fingerprint", newValue) }
    }

    /// Who begins the DTLS handshake (RFC 4145 section 4, RFC 8842 section 5.2).
    public var setup: SDPSetup? {
        get { self.attributes[first: "setup"].flatMap { SDPSetup(rawValue: $0) } }
        set { self.attributes[first: "setup"] = newValue?.rawValue }
    }

    /// The identifier of the DTLS association, 20 to 255 characters (RFC 8842 section 5.3).
    public var tlsID: String? {
        get { self.attributes[first: "tls-id"] }
        set { self.attributes[first: "tls-id"] = newValue }
    }

    /// The direction in which media flows; `nil` where no attribute tells (RFC 8866 section 6.7).
    public var direction: SDPDirection? {
        get {
            for attribute in self.attributes {
                if let direction = SDPDirection(rawValue: attribute.name) { return direction }
            }
            return nil
        }
        set {
            let names = Set(SDPDirection.allCases.map { $0.rawValue })
            self.attributes.replace(names, with: newValue.map { [SDPAttribute($0.rawValue)] } ?? [])
        }
    }

    /// The header extensions (RFC 8285 section 5).
    public var extmaps: [SDPExtmap] {
        get { self.attributes.values("extmap") }
        set { self.attributes.setValues("extmap", newValue) }
    }

    /// Whether one- and two-byte header extensions may be mixed in one stream (RFC 8285 section 6).
    public var extmapAllowMixed: Bool {
        get { self.attributes.contains("extmap-allow-mixed") }
        set { self.attributes.setFlag("extmap-allow-mixed", newValue) }
    }

    /// Whether no further candidates follow (RFC 8840 section 4.2).
    public var endOfCandidates: Bool {
        get { self.attributes.contains("end-of-candidates") }
        set { self.attributes.setFlag("end-of-candidates", newValue) }
    }
}
