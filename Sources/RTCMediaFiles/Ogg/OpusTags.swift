public import NIOCore

/// The comment header of Opus in Ogg (RFC 7845 section 5.2).
public struct OpusTags: Sendable, Hashable {
    /// The encoder or program that made the file.
    public var vendor: String
    /// Comments, each `NAME=value`.
    public var comments: [String]

    /// Tags.
    public init(vendor: String = "swift-webrtc", comments: [String] = []) {
        self.vendor = vendor
        self.comments = comments
    }

    /// Reads a header packet; `nil` if it is none, or its lengths do not add up. What is behind the comments is passed over.
    public init?(_ packet: ByteBuffer) {
        var bytes = packet
        guard bytes.readString(length: 8) == Self.signature, let vendor = Self.readText(&bytes),
            let count = bytes.readInteger(endianness: .little, as: UInt32.self), count <= bytes.readableBytes / 4
        else { return nil }
        self.init(vendor: vendor)
        for _ in 0..<count {
            guard let comment = Self.readText(&bytes) else { return nil }
            self.comments.append(comment)
        }
    }

    /// The header packet.
    public var bytes: ByteBuffer {
        var bytes = ByteBuffer(string: Self.signature)
        Self.write(self.vendor, to: &bytes)
        bytes.writeInteger(UInt32(clamping: self.comments.count), endianness: .little)
        for comment in self.comments { Self.write(comment, to: &bytes) }
        return bytes
    }

    private static func readText(_ bytes: inout ByteBuffer) -> String? {
        guard let length = bytes.readInteger(endianness: .little, as: UInt32.self) else { return nil }
        return bytes.readString(length: Int(length))
    }

    private static func write(_ text: String, to bytes: inout ByteBuffer) {
        bytes.writeInteger(UInt32(clamping: text.utf8.count), endianness: .little)
        bytes.writeString(text)
    }

    static let signature = "OpusTags"
}
