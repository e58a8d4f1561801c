/// One open bitstream unit of AV1 in a buffer (AV1 bitstream specification section 5.3).
public struct AV1OBU: Sendable, Hashable {
    /// `obu_type`: 1 sequence header, 2 temporal delimiter, 3 frame header, 4 tile group, 6 frame, 8 tile list.
    public let type: UInt8
    /// The first byte.
    let header: UInt8
    /// The second byte, where there is an extension.
    let headerExtension: UInt8?
    /// Where the unit lies, header included.
    public let range: Range<Int>
    /// Where what is behind header and size field lies.
    public let payload: Range<Int>

    package static let sequenceHeader: UInt8 = 1
    package static let temporalDelimiter: UInt8 = 2
    static let frameHeader: UInt8 = 3
    static let frame: UInt8 = 6
    static let tileList: UInt8 = 8
    static let extensionFlag: UInt8 = 0x04
    static let sizeFlag: UInt8 = 0x02

    /// The temporal layer, where the header says.
    public var temporalID: UInt8? { self.headerExtension.map { $0 >> 5 } }
    /// The spatial layer, where the header says.
    public var spatialID: UInt8? { self.headerExtension.map { $0 >> 3 & 3 } }

    /// Reads the unit that begins at `start`; one without a size field goes on to the end of `bytes`. `nil` if it is broken.
    public init?(_ bytes: RawSpan, at start: Int) {
        guard let unit = bytes.withUnsafeBytes({ Self(bytes: $0, at: start) }) else { return nil }
        self = unit
    }

    package init?(bytes: UnsafeRawBufferPointer, at start: Int = 0) {
        guard start >= 0, start < bytes.count else { return nil }
        var reader = PayloadReader(bytes, at: start)
        self.header = reader.byte()
        self.type = self.header >> 3 & 0xF
        let hasExtension = self.header & Self.extensionFlag != 0
        self.headerExtension = hasExtension ? reader.byte() : nil
        // The forbidden bit.
        guard self.header & 0x80 == 0, !reader.isExhausted else { return nil }
        var size = reader.remaining
        if self.header & Self.sizeFlag != 0 {
            guard let value = reader.leb128(), value <= reader.remaining else { return nil }
            size = value
        }
        self.payload = reader.offset..<reader.offset + size
        self.range = start..<reader.offset + size
    }

    /// Whether a unit of frame data is that of a key frame, as far as its first bits tell.
    ///
    /// - Parameter isReduced: `reduced_still_picture_header` of the sequence.
    package func isKeyFrame(in bytes: UnsafeRawBufferPointer, isReduced: Bool) -> Bool {
        guard self.type == Self.frame || self.type == Self.frameHeader, !self.payload.isEmpty else { return false }
        // show_existing_frame is 0, and frame_type KEY_FRAME.
        return isReduced || bytes[self.payload.lowerBound] & 0xE0 == 0
    }
}
