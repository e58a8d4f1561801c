extension SDPSession {
    /// The `a=group` attributes (RFC 5888).
    public var groups: [SDPGroup] {
        get { self.attributes.values("group") }
        set { self.attributes.setValues("group", newValue) }
    }

    /// The groups whose sections share one transport (RFC 9143).
    public var bundleGroups: [SDPGroup] {
        self.groups.filter { $0.semantics == SDPGroup.bundle }
    }

    /// Whether the sender is an ICE lite agent (RFC 8839 section 5.3).
    public var iceLite: Bool {
        get { self.attributes.contains("ice-lite") }
        set { self.attributes.setFlag("ice-lite", newValue) }
    }

    /// The place of the section with this identification (RFC 5888), `nil` if there is none.
    public func mediaIndex(mid: String) -> Int? {
        self.media.firstIndex { $0.mid == mid }
    }
}

// MARK: What holds for a section: its own attribute, else the session's

extension SDPSession {
    /// The ICE user fragment of a media section, its own or the session's; `nil` too for an index out of range.
    public func iceUfrag(of index: Int) -> String? {
        self.section(index)?.iceUfrag ?? self.iceUfrag
    }

    /// The ICE password of a media section, its own or the session's.
    public func icePwd(of index: Int) -> String? {
        self.section(index)?.icePwd ?? self.icePwd
    }

    /// The ICE options of a media section, its own or the session's.
    public func iceOptions(of index: Int) -> [String] {
        guard let section = self.section(index), section.attributes.contains("ice-options") else {
            return self.iceOptions
        }
        return section.iceOptions
    }

    /// The certificate fingerprints of a media section: its own if it has any, else the session's (RFC 8122 section 5).
    public func fingerprints(of index: Int) -> [SDPFingerprint] {
        guard let section = self.section(index), section.attributes.contains("fingerprint") else {
            return self.fingerprints
        }
        return section.fingerprints
    }

    /// The DTLS role of a media section, its own or the session's.
    public func setup(of index: Int) -> SDPSetup? {
        self.section(index)?.setup ?? self.setup
    }

    /// The DTLS association's identifier of a media section, its own or the session's.
    public func tlsID(of index: Int) -> String? {
        self.section(index)?.tlsID ?? self.tlsID
    }

    /// The direction of a media section, its own or the session's; sendrecv where both are silent
    /// (RFC 8866 section 6.7).
    public func direction(of index: Int) -> SDPDirection {
        self.section(index)?.direction ?? self.direction ?? .sendrecv
    }

    /// Whether one- and two-byte header extensions may be mixed in a section's stream (RFC 8285 section 6).
    public func extmapAllowMixed(of index: Int) -> Bool {
        self.extmapAllowMixed || self.section(index)?.extmapAllowMixed == true
    }

    /// The header extensions of a media section, then those that the session declares for all (RFC 8285 section 5).
    public func extmaps(of index: Int) -> [SDPExtmap] {
        (self.section(index)?.extmaps ?? []) + self.extmaps
    }

    /// The address of a media section, its own or the session's.
    public func connection(of index: Int) -> SDPConnection? {
        self.section(index)?.connection ?? self.connection
    }

    private func section(_ index: Int) -> SDPMedia? {
        self.media.indices.contains(index) ? self.media[index] : nil
    }
}
