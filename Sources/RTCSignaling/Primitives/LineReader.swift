package import NIOCore

/// Cuts a stream of bytes into lines that end with a line feed.
package struct LineReader: Sendable {
    /// A line is larger than allowed.
    package struct TooLarge: Error {}

    private let limit: Int
    private var input = ByteBuffer()

    /// - Parameter limit: The most bytes of a line.
    package init(limit: Int) { self.limit = limit }

    /// Takes bytes; gives the lines that are whole now, without their ends.
    package mutating func receive(_ bytes: ByteBuffer) throws(TooLarge) -> [String] {
        self.input.discardReadBytes()
        self.input.writeImmutableBuffer(bytes)
        var lines: [String] = []
        while let end = self.input.readableBytesView.firstIndex(of: 0x0A) {
            let length = end - self.input.readerIndex
            guard length <= self.limit else { throw TooLarge() }
            lines.append(self.input.readString(length: length) ?? "")
            self.input.moveReaderIndex(forwardBy: 1)
        }
        guard self.input.readableBytes <= self.limit else { throw TooLarge() }
        return lines
    }
}
