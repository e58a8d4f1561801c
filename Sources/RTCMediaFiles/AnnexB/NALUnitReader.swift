internal import NIOCore
internal import RTCBase

/// Reads the NAL units of a byte stream one by one, holding no more than one of them.
struct NALUnitReader {
    private let input: FileInput
    private let limit: Int
    private var isAtUnit = false

    /// - Parameter limit: Larger units, in bytes, are refused.
    init(_ input: FileInput, limit: Int) {
        self.input = input
        self.limit = limit
    }

    /// The next unit, without start code and zeros around it; `nil` at the end.
    mutating func next() throws(MediaFileError) -> ByteBuffer? {
        while true {
            if !self.isAtUnit {
                guard try self.skipToUnit() else { return nil }
                self.isAtUnit = true
            }
            let end = try self.findEnd()
            guard let bytes = try self.input.take(end ?? self.input.availableCount) else { return nil }
            self.isAtUnit = end != nil
            if end != nil { try self.input.skip(3) }
            let unit = Self.trimmed(bytes)
            if unit.readableBytes > 0 { return unit }
        }
    }

    /// Drops everything up to the first start code, and the code.
    private func skipToUnit() throws(MediaFileError) -> Bool {
        while true {
            if let code = self.input.withAvailable({ AnnexB.startCode(in: $0, from: 0) }) {
                try self.input.skip(Int64(code + 3))
                return true
            }
            // Two zeros at the end may begin a start code.
            try self.input.skip(Int64(self.input.availableCount - 2))
            guard try self.input.readMore() else { return false }
        }
    }

    /// Where the next start code is, from here; `nil` if the unit goes on to the end of the file.
    private func findEnd() throws(MediaFileError) -> Int? {
        var searched = 0
        while true {
            let from = max(0, searched - 2)
            if let code = self.input.withAvailable({ AnnexB.startCode(in: $0, from: from) }) {
                guard code <= self.limit else { throw self.tooLarge() }
                return code
            }
            searched = self.input.availableCount
            guard try self.input.readMore() else {
                guard searched <= self.limit else { throw self.tooLarge() }
                return nil
            }
            guard searched <= self.limit else { throw self.tooLarge() }
        }
    }

    private func tooLarge() -> MediaFileError {
        self.input.error(.limitExceeded, "a NAL unit of more than \(self.limit) bytes")
    }

    /// Zeros behind a unit belong to the stream.
    private static func trimmed(_ bytes: ByteBuffer) -> ByteBuffer {
        let count = bytes.readableBytesView.lastIndex { $0 != 0 }.map { $0 + 1 - bytes.readerIndex } ?? 0
        return bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer()
    }
}
