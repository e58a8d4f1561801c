/// SDES (RFC 3550 section 6.5): names of sources, in chunks of items.
public struct RTCPSourceDescription: Sendable, Hashable {
    /// What an item tells (RFC 3550 section 6.5, RFC 7941 and others).
    public struct ItemType: Sendable, Hashable, RawRepresentable {
        /// The number, 1 to 255.
        public let rawValue: UInt8
        /// A type by its number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The name that stays while SSRCs change.
        public static let cname = ItemType(rawValue: 1)
        /// A person's name.
        public static let name = ItemType(rawValue: 2)
        /// An address for mail.
        public static let email = ItemType(rawValue: 3)
        /// The program in use.
        public static let tool = ItemType(rawValue: 6)
        /// Which section of the description the source belongs to (RFC 9143).
        public static let mid = ItemType(rawValue: 15)
        /// Which of the section's encodings (RFC 8852).
        public static let rid = ItemType(rawValue: 12)
        /// Which of the section's encodings is repaired (RFC 8852).
        public static let repairedRID = ItemType(rawValue: 13)
    }

    /// One item of one source.
    public struct Item: Sendable, Hashable {
        /// The source.
        public let ssrc: SSRC
        /// What it tells.
        public let type: ItemType
        /// Where its text lies in the datagram; at most 255 bytes.
        public let range: Range<Int>

        /// The text; bytes that are not UTF-8 become replacement characters.
        public func text(in datagram: RawSpan) -> String {
            let part = datagram.extracting(datagram.clamped(self.range))
            return part.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// How many sources are named, 0 to 31.
    public let chunkCount: Int
    private let range: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        self.chunkCount = Int(header.count)
        self.range = header.body
        guard self.forEachItem(in: datagram, { _ in true }) else { return nil }
    }

    /// Calls `body` with each item of each chunk in the order sent, until it returns `false`.
    ///
    /// - Returns: Whether all chunks are well-formed, as far as they were read.
    @discardableResult
    public func forEachItem(in datagram: RawSpan, _ body: (Item) -> Bool) -> Bool {
        var offset = self.range.lowerBound
        for _ in 0..<self.chunkCount {
            guard let ssrc: UInt32 = datagram.networkOrder(at: offset) else { return false }
            offset += 4
            while true {
                guard offset < self.range.upperBound, let type: UInt8 = datagram.networkOrder(at: offset)
                else { return false }
                if type == 0 { break }
                guard let length: UInt8 = datagram.networkOrder(at: offset + 1) else { return false }
                let text = offset + 2..<offset + 2 + Int(length)
                guard text.upperBound <= self.range.upperBound else { return false }
                offset = text.upperBound
                guard body(Item(ssrc: SSRC(ssrc), type: ItemType(rawValue: type), range: text)) else { return true }
            }
            // The zero that ends a chunk is followed by as many as make its length a multiple of four.
            offset = self.range.lowerBound + (offset + 1 - self.range.lowerBound + 3) & ~3
            guard offset <= self.range.upperBound else { return false }
        }
        return true
    }

    /// The first item of a type; `nil` if there is none.
    public func first(_ type: ItemType, of ssrc: SSRC, in datagram: RawSpan) -> String? {
        var found: Item?
        self.forEachItem(in: datagram) { item in
            if item.type == type && item.ssrc == ssrc { found = item }
            return found == nil
        }
        return found?.text(in: datagram)
    }
}
