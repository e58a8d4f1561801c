extension STUNMessage {
    /// Whether USERNAME is there.
    public var hasUsername: Bool { self.usernameRange.lowerBound > 0 }
    /// Whether MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 is there.
    public var hasIntegrity: Bool { !self.integrityRange.isEmpty || !self.integritySHA256Range.isEmpty }

    /// USERNAME, `nil` if missing.
    public func username(in datagram: RawSpan) -> String? {
        self.hasUsername ? datagram.text(in: self.usernameRange) : nil
    }

    /// REALM, `nil` if missing.
    public func realm(in datagram: RawSpan) -> String? {
        self.realmRange.lowerBound > 0 ? datagram.text(in: self.realmRange) : nil
    }

    /// NONCE, `nil` if missing.
    public func nonce(in datagram: RawSpan) -> String? {
        self.nonceRange.lowerBound > 0 ? datagram.text(in: self.nonceRange) : nil
    }

    /// SOFTWARE, `nil` if missing.
    public func software(in datagram: RawSpan) -> String? {
        self.softwareRange.lowerBound > 0 ? datagram.text(in: self.softwareRange) : nil
    }

    /// The reason phrase of ERROR-CODE; empty if there is none.
    public func errorReason(in datagram: RawSpan) -> String {
        datagram.text(in: self.reasonRange)
    }

    /// Whether the message's integrity code was made with `key`.
    ///
    /// Where both codes are there, the SHA-256 one is the one that counts (RFC 8489 section 9.1.3). `false` if there is
    /// none.
    public func hasValidIntegrity(in datagram: RawSpan, key: STUNIntegrityKey) -> Bool {
        if !self.integritySHA256Range.isEmpty {
            return self.isValid(self.integritySHA256Range, in: datagram, key: key, sha256: true)
        }
        return !self.integrityRange.isEmpty
            && self.isValid(self.integrityRange, in: datagram, key: key, sha256: false)
    }

    /// The types of the attributes that must be understood and are not, at most `limit` of them.
    public func unknownComprehensionRequired(in datagram: RawSpan, limit: Int = 16) -> [STUNAttributeType] {
        guard self.unknownComprehensionRequiredCount > 0 else { return [] }
        var unknown: [STUNAttributeType] = []
        Self.forEachAttribute(in: datagram) { type, _ in
            if type == .messageIntegrity || type == .messageIntegritySHA256 { return false }
            if type.isComprehensionRequired && !type.isKnown { unknown.append(type) }
            return unknown.count < limit
        }
        return unknown
    }

    /// The types that UNKNOWN-ATTRIBUTES of an error response lists.
    public func unknownAttributes(in datagram: RawSpan) -> [STUNAttributeType] {
        var listed: [STUNAttributeType] = []
        Self.forEachAttribute(in: datagram) { type, value in
            guard type == .unknownAttributes else { return true }
            for offset in stride(from: 0, to: value.byteCount - 1, by: 2) {
                guard let number: UInt16 = value.bigEndian(at: offset) else { break }
                listed.append(STUNAttributeType(rawValue: number))
            }
            return false
        }
        return listed
    }

    private func isValid(_ range: Range<Int>, in datagram: RawSpan, key: STUNIntegrityKey, sha256: Bool) -> Bool {
        guard range.upperBound <= datagram.byteCount, let type: UInt16 = datagram.bigEndian(at: 0),
            let cookieAndID: UInt64 = datagram.bigEndian(at: 4), let rest: UInt64 = datagram.bigEndian(at: 12)
        else { return false }
        // The code covers the message as if it ended with this attribute, so its length field is another one.
        let length = UInt64(range.upperBound - Self.headerSize)
        let header: InlineHeader = (
            (UInt64(type) << 48 | length << 32 | cookieAndID >> 32).bigEndian,
            (cookieAndID << 32 | rest >> 32).bigEndian,
            UInt32(truncatingIfNeeded: rest).bigEndian
        )
        let body = datagram.extracting(Self.headerSize..<range.lowerBound - 4)
        let code = datagram.extracting(range)
        return withUnsafeBytes(of: header) { bytes in
            let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.headerSize)).bytes
            return sha256
                ? key.isValidSHA256(code, header: head, body: body)
                : key.isValidSHA1(code, header: head, body: body)
        }
    }

    private typealias InlineHeader = (UInt64, UInt64, UInt32)
}
