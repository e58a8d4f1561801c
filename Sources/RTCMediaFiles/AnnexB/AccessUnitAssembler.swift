internal import NIOCore

/// Puts NAL units together to access units.
struct AccessUnitAssembler {
    /// An access unit in Annex B form.
    struct AccessUnit {
        var payload: ByteBuffer
        var isKeyFrame: Bool
    }

    private let codec: AnnexBCodec
    private var payload = ByteBuffer()
    private var hasSlice = false
    private var isKeyFrame = false
    private var hasEnded = false

    init(codec: AnnexBCodec) { self.codec = codec }

    /// How large the unit at hand is so far, in bytes.
    var byteCount: Int { self.payload.readableBytes }

    /// Adds a NAL unit without its start code; returns the access unit before it if the new one does not belong there.
    ///
    /// Units with nothing but headers are not given: they are put before the next picture.
    mutating func append(_ unit: ByteBuffer) -> AccessUnit? {
        let role = unit.withUnsafeReadableBytes { self.codec.role(of: $0) }
        let finished = self.begins(role) ? self.finish() : nil
        self.payload.writeBytes([0, 0, 0, 1])
        self.payload.writeImmutableBuffer(unit)
        switch role {
        case .slice(_, let isKey):
            self.hasSlice = true
            self.isKeyFrame = self.isKeyFrame || isKey
        case .end: self.hasEnded = true
        case .delimiter, .beforePicture, .other: break
        }
        return finished
    }

    /// The access unit at hand; `nil` if it has no picture.
    mutating func finish() -> AccessUnit? {
        guard self.hasSlice else { return nil }
        let unit = AccessUnit(payload: self.payload, isKeyFrame: self.isKeyFrame)
        self = AccessUnitAssembler(codec: self.codec)
        return unit
    }

    private func begins(_ role: NALUnitRole) -> Bool {
        guard self.hasSlice else { return false }
        switch role {
        case .delimiter, .beforePicture: return true
        case .slice(let isFirst, _): return isFirst || self.hasEnded
        case .end, .other: return false
        }
    }
}
