public import NIOCore
public import RTCRTP

/// Reads IVF files, the plain container of VP8, VP9 and AV1.
///
/// Times are taken as they stand. A file that was cut off ends with its last whole frame, and ``isTruncated`` says so.
public final class IVFReader: MediaFrameReader {
    /// What the file says of itself.
    public let header: IVFHeader
    /// Whether the file ended inside a frame.
    public private(set) var isTruncated = false
    private let input: FileInput
    private let limits: MediaFileLimits
    private let headerLength: Int64

    /// Reads the header.
    ///
    /// - Throws: What is wrong with the header; ``MediaFileError/Code/unsupported`` for other codecs.
    public init(_ input: FileInput, limits: MediaFileLimits = .defaults) throws(MediaFileError) {
        self.input = input
        self.limits = limits
        (self.header, self.headerLength) = try Self.readHeader(input)
    }

    /// How the frames are encoded.
    public var format: PayloadFormat { self.header.format }

    /// The next frame's bytes and its time in ticks of the header's timebase; `nil` at the end.
    public func nextPacket() throws(MediaFileError) -> IVFPacket? {
        while true {
            guard var header = try self.input.take(IVFHeader.frameHeaderSize),
                let size = header.readInteger(endianness: .little, as: UInt32.self),
                let time = header.readInteger(endianness: .little, as: UInt64.self)
            else {
                self.isTruncated = self.input.availableCount > 0
                return nil
            }
            guard size <= self.limits.frameSize else {
                throw self.input.error(.limitExceeded, "a frame of \(size) bytes")
            }
            guard let payload = try self.input.take(Int(size)) else {
                self.isTruncated = true
                return nil
            }
            // Some encoders write a frame without bytes where they dropped one.
            if size > 0 { return IVFPacket(payload: payload, time: time) }
        }
    }

    /// The next frame; its RTP timestamp counts in 90 kHz.
    public func nextFrame() throws(MediaFileError) -> MediaFileFrame? {
        guard let packet = try self.nextPacket() else { return nil }
        guard let time = self.header.timebase.duration(of: packet.time) else {
            throw self.input.error(.malformed, "a frame's time, \(packet.time) ticks, is beyond all clocks")
        }
        let frame = EncodedFrame(
            payload: packet.payload,
            timestamp: time.rtpTimestamp(clockRate: self.format.clockRate),
            isKeyFrame: self.format.isKeyFrame(packet.payload)
        )
        return MediaFileFrame(frame: frame, time: time)
    }

    /// Begins again with the first frame.
    public func rewind() throws(MediaFileError) {
        try self.input.rewind()
        try self.input.skip(self.headerLength)
        self.isTruncated = false
    }

    private static func readHeader(_ input: FileInput) throws(MediaFileError) -> (IVFHeader, Int64) {
        guard var bytes = try input.take(IVFHeader.size), bytes.readString(length: 4) == IVFHeader.signature else {
            throw MediaFileError(.malformed, "an IVF file begins with DKIF and 28 bytes more", offset: 0)
        }
        guard bytes.readInteger(endianness: .little, as: UInt16.self) == 0 else {
            throw MediaFileError(.unsupported, "a version of IVF other than 0", offset: 4)
        }
        let length = Int64(bytes.readInteger(endianness: .little, as: UInt16.self) ?? 0)
        guard length >= IVFHeader.size else {
            throw MediaFileError(.malformed, "a header of \(length) bytes", offset: 6)
        }
        let header = try self.readFields(&bytes)
        try input.skip(length - Int64(IVFHeader.size))
        return (header, length)
    }

    private static func readFields(_ bytes: inout ByteBuffer) throws(MediaFileError) -> IVFHeader {
        let name = bytes.readString(length: 4) ?? ""
        guard let format = PayloadFormat.allCases.first(where: { IVFHeader.fourCC(of: $0) == name }) else {
            throw MediaFileError(.unsupported, "a codec that is none of VP80, VP90 and AV01", offset: 8)
        }
        let width = bytes.readInteger(endianness: .little, as: UInt16.self) ?? 0
        let height = bytes.readInteger(endianness: .little, as: UInt16.self) ?? 0
        let rate = bytes.readInteger(endianness: .little, as: UInt32.self) ?? 0
        let scale = bytes.readInteger(endianness: .little, as: UInt32.self) ?? 0
        guard let timebase = Timebase(numerator: scale, denominator: rate) else {
            throw MediaFileError(.malformed, "a timebase of \(scale)/\(rate)", offset: 16)
        }
        return try IVFHeader(
            format: format,
            size: PictureSize(width: Int(width), height: Int(height)),
            timebase: timebase
        )
    }
}

/// A frame as it stands in an IVF file.
public struct IVFPacket: Sendable, Hashable {
    /// The encoded frame.
    public var payload: ByteBuffer
    /// When it is shown, in ticks of the header's timebase.
    public var time: UInt64

    /// A frame.
    public init(payload: ByteBuffer, time: UInt64) {
        self.payload = payload
        self.time = time
    }
}
