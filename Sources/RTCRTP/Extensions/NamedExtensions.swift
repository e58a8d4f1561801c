// Three extensions carry a name: an SDES item in a header extension (RFC 7941).

/// Which section of the description a packet belongs to: the section's `a=mid` (RFC 9143 section 15).
public struct MIDExtension: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.mid
    /// The identification tag, visible ASCII of at most 255 bytes.
    public var name: String

    /// A tag.
    public init(_ name: String) { self.name = name }

    /// Reads a tag; `nil` unless it is visible ASCII.
    public init?(_ bytes: RawSpan) {
        guard let name = bytes.token() else { return nil }
        self.name = name
    }

    public var byteCount: Int { min(self.name.utf8.count, 255) }
    public func write(into bytes: UnsafeMutableRawBufferPointer) { bytes.copyBytes(from: self.name.utf8.prefix(255)) }
}

/// Which of a section's encodings a packet belongs to: `RtpStreamId` (RFC 8852 section 3.1).
public struct RIDExtension: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.rid
    /// The encoding's name, visible ASCII of at most 255 bytes.
    public var name: String

    /// A name.
    public init(_ name: String) { self.name = name }

    /// Reads a name; `nil` unless it is visible ASCII.
    public init?(_ bytes: RawSpan) {
        guard let name = bytes.token() else { return nil }
        self.name = name
    }

    public var byteCount: Int { min(self.name.utf8.count, 255) }
    public func write(into bytes: UnsafeMutableRawBufferPointer) { bytes.copyBytes(from: self.name.utf8.prefix(255)) }
}

/// Which of a section's encodings a repair packet repairs: `RepairedRtpStreamId` (RFC 8852 section 3.2).
public struct RepairedRIDExtension: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.repairedRID
    /// The encoding's name, visible ASCII of at most 255 bytes.
    public var name: String

    /// A name.
    public init(_ name: String) { self.name = name }

    /// Reads a name; `nil` unless it is visible ASCII.
    public init?(_ bytes: RawSpan) {
        guard let name = bytes.token() else { return nil }
        self.name = name
    }

    public var byteCount: Int { min(self.name.utf8.count, 255) }
    public func write(into bytes: UnsafeMutableRawBufferPointer) { bytes.copyBytes(from: self.name.utf8.prefix(255)) }
}
