import NIOCore

/// A packet of Socket.IO, protocol 4, which Socket.IO 2 speaks.
///
/// On the wire it is one text, `TYPE[ATTACHMENTS-][NAMESPACE,][ID][JSON]`, and a message of bytes for each attachment.
public struct SocketIOPacket: Sendable, Hashable {
    /// What a packet is for.
    public enum Kind: Sendable, Hashable {
        /// A client wants to have a namespace, or the server says that it has.
        case connect
        /// The end in a namespace.
        case disconnect
        /// An event: an array of its name and what it carries. With an ``id`` it wants to be acknowledged.
        case event
        /// An acknowledgement: an array of what it carries.
        case acknowledgement
        /// The server refuses a namespace.
        case error
    }

    /// What it is for.
    public var kind: Kind
    /// The namespace; `/` is everybody's.
    public var namespace: String
    /// The query behind a namespace that a client wants to have; empty for none.
    public var query: String
    /// What an acknowledgement is for.
    public var id: UInt64?
    /// What it carries; nil for nothing.
    public var data: SocketIOValue?

    /// A packet.
    public init(
        _ kind: Kind,
        namespace: String = "/",
        query: String = "",
        id: UInt64? = nil,
        data: SocketIOValue? = nil
    ) {
        self.kind = kind
        self.namespace = namespace
        self.query = query
        self.id = id
        self.data = data
    }

    /// The packet as messages: a text, then the attachments.
    public var messages: [WebSocketMessage] {
        var json = JSONWriter(escaping: .forBrowsers)
        var attachments: [ByteBuffer] = []
        self.data?.write(to: &json, attachments: &attachments)
        var text = String(self.number(hasAttachments: !attachments.isEmpty))
        if !attachments.isEmpty { text += "\(attachments.count)-" }
        if self.namespace != "/" || !self.query.isEmpty {
            text += self.namespace + (self.query.isEmpty ? "" : "?" + self.query) + ","
        }
        if let id = self.id { text += String(id) }
        return [.text(text + json.text)] + attachments.map(WebSocketMessage.binary)
    }

    private func number(hasAttachments: Bool) -> Int {
        switch self.kind {
        case .connect: return 0
        case .disconnect: return 1
        case .event: return hasAttachments ? 5 : 2
        case .acknowledgement: return hasAttachments ? 6 : 3
        case .error: return 4
        }
    }
}

extension SocketIOPacket {
    /// Reads the text of a packet; nil if it is malformed.
    ///
    /// - Returns: The packet, with placeholders where attachments belong, and how many of them follow.
    static func parse(
        _ text: String,
        limits: SocketIOConfiguration
    ) -> (packet: SocketIOPacket, attachments: Int)? {
        var reader = JSONReader(text, maximumDepth: limits.maximumDepth, allowsControlCharacters: true)
        guard let digit = reader.next, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "6"), reader.take(digit)
        else { return nil }
        var packet = SocketIOPacket(.connect)
        var attachments = 0
        switch digit {
        case UInt8(ascii: "0"): packet.kind = .connect
        case UInt8(ascii: "1"): packet.kind = .disconnect
        case UInt8(ascii: "2"), UInt8(ascii: "5"): packet.kind = .event
        case UInt8(ascii: "3"), UInt8(ascii: "6"): packet.kind = .acknowledgement
        default: packet.kind = .error
        }
        if digit >= UInt8(ascii: "5") {
            guard let count = reader.readCount(), reader.take(UInt8(ascii: "-")),
                count <= UInt64(limits.maximumAttachments)
            else { return nil }
            attachments = Int(count)
        }
        if reader.next == UInt8(ascii: "/") {
            let name = reader.takeAll { $0 != UInt8(ascii: ",") }
            guard name.count <= limits.maximumNamespaceLength,
                let name = String(validating: name, as: UTF8.self)
            else { return nil }
            _ = reader.take(UInt8(ascii: ","))
            let parts = name.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            packet.namespace = String(parts[0])
            packet.query = parts.count > 1 ? String(parts[1]) : ""
        }
        if let next = reader.next, next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") {
            guard let id = reader.readCount() else { return nil }
            packet.id = id
        }
        if !reader.isAtEnd {
            guard let data: SocketIOValue = reader.readValue(), reader.isComplete() else { return nil }
            packet.data = data
        }
        return packet.isSound ? (packet, attachments) : nil
    }

    /// Whether it carries what its kind needs.
    private var isSound: Bool {
        switch self.kind {
        case .connect, .disconnect, .error: return true
        case .event: return self.data?[0]?.string != nil
        case .acknowledgement: return self.id != nil && self.data?.array != nil
        }
    }
}

extension JSONReader {
    /// Decimal digits, up to 18 of them.
    fileprivate mutating func readCount() -> UInt64? {
        let digits = self.takeAll { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard (1...18).contains(digits.count) else { return nil }
        return digits.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
    }
}
