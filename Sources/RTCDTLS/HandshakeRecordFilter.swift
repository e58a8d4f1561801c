/// Cuts records out of datagrams that an outsider could have written to end a handshake (RFC 6347 section 4.1.2.7).
///
/// Before encryption begins nothing tells a peer's record from a forged one. What can never be right at that time is
/// dropped here, because OpenSSL would end the connection over it; alerts are handed to the caller, who takes his time to
/// believe them. Of encrypted records those of the handshake pass, which OpenSSL authenticates; the others belong to the time
/// after it.
enum HandshakeRecordFilter {
    /// The longest handshake message that is let through, in bytes.
    static let maximumMessageSize = 32_768

    enum Part: Equatable {
        /// Bytes of the datagram that OpenSSL may see.
        case records(Range<Int>)
        /// An alert that nobody authenticated.
        case alert(level: UInt8, description: UInt8)
        /// An encrypted record to be read after the handshake.
        case early(Range<Int>)
        /// Something that was cut out.
        case dropped
    }

    private typealias ContentType = RecordHeader.ContentType

    private static let messageHeaderSize = 12

    /// Calls `body` with the datagram's parts in order, neighbouring records together.
    static func forEachPart(of datagram: UnsafeRawBufferPointer, _ body: (Part) -> Void) {
        var start = 0
        var offset = 0
        func flush(upTo end: Int, next: Int) {
            if start < end { body(.records(start..<end)) }
            start = next
        }
        while offset < datagram.count {
            // 001 in the highest bits: DTLS 1.3's encrypted records (RFC 9147 section 4), which reach to the end at most.
            if datagram[offset] >> 5 == 1, DTLSLibrary.maximumVersion >= .dtls13 {
                offset = datagram.count
                break
            }
            guard let header = RecordHeader(in: datagram, at: offset) else {
                flush(upTo: offset, next: datagram.count)
                body(.dropped)
                return
            }
            let end = offset + RecordHeader.size + header.bodySize
            if let replacement = Self.verdict(on: header, at: offset..<end, in: datagram) {
                flush(upTo: offset, next: end)
                body(replacement)
            }
            offset = end
        }
        flush(upTo: offset, next: offset)
    }

    /// What to hand out instead of the record; `nil` when OpenSSL may see it.
    private static func verdict(
        on header: RecordHeader,
        at record: Range<Int>,
        in datagram: UnsafeRawBufferPointer
    ) -> Part? {
        guard header.epoch == 0 else { return header.type == ContentType.handshake ? nil : .early(record) }
        let body = record.dropFirst(RecordHeader.size)
        switch header.type {
        case ContentType.changeCipherSpec:
            return body.count == 1 && datagram[body.lowerBound] == 1 ? nil : .dropped
        case ContentType.alert:
            guard body.count == 2 else { return .dropped }
            return .alert(level: datagram[body.lowerBound], description: datagram[body.lowerBound + 1])
        case ContentType.handshake:
            return Self.isWellFormed(UnsafeRawBufferPointer(rebasing: datagram[body])) ? nil : .dropped
        default:
            return .dropped
        }
    }

    /// Whether a record holds whole fragments of handshake messages (RFC 6347 section 4.2.2).
    private static func isWellFormed(_ body: UnsafeRawBufferPointer) -> Bool {
        func number(_ offset: Int) -> Int {
            Int(body[offset]) << 16 | Int(body[offset + 1]) << 8 | Int(body[offset + 2])
        }
        var offset = 0
        while offset < body.count {
            guard body.count - offset >= Self.messageHeaderSize else { return false }
            let length = number(offset + 1)
            let fragmentOffset = number(offset + 6)
            let fragmentLength = number(offset + 9)
            offset += Self.messageHeaderSize
            guard length <= Self.maximumMessageSize, fragmentOffset + fragmentLength <= length,
                fragmentLength <= body.count - offset
            else { return false }
            offset += fragmentLength
        }
        return !body.isEmpty
    }
}
