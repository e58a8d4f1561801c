public import NIOCore

/// A frame of STOMP: a command, headers and a body.
public struct STOMPFrame: Sendable, Hashable {
    /// One header.
    public struct Header: Sendable, Hashable {
        /// The name; case counts.
        public var name: String
        /// The value.
        public var value: String

        /// A header.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The command, in capitals.
    public var command: String
    /// The headers in their order; of those with the same name the first counts (STOMP 1.2, Repeated Header Entries).
    public var headers: [Header]
    /// The body.
    public var body: ByteBuffer

    /// A frame.
    public init(_ command: String, _ headers: [Header] = [], body: ByteBuffer = ByteBuffer()) {
        self.command = command
        self.headers = headers
        self.body = body
    }

    /// The first value under a name; nil for none.
    public subscript(name: String) -> String? { self.headers.first { $0.name == name }?.value }

    /// The frame's bytes in a version of the protocol.
    ///
    /// A `content-length` is added where there is a body. What the version cannot express in a header, a line's end in 1.0 for
    /// example, is left out of it.
    public func encoded(for version: STOMPVersion) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(64 + 32 * self.headers.count + self.body.readableBytes)
        bytes.writeString(self.command + "\n")
        // Frames that set a connection up look as in 1.0 in all versions.
        let escaping: STOMPEscaping = self.command == "CONNECTED" || self.command == "CONNECT" ? .none : .of(version)
        for header in self.headers where header.name != "content-length" {
            bytes.writeString(escaping.escape(header.name) + ":" + escaping.escape(header.value) + "\n")
        }
        if self.body.readableBytes > 0 { bytes.writeString("content-length:\(self.body.readableBytes)\n") }
        bytes.writeString("\n")
        bytes.writeImmutableBuffer(self.body)
        bytes.writeInteger(UInt8(0))
        return bytes
    }
}

/// How names and values of headers are escaped (STOMP 1.2, Value Encoding).
enum STOMPEscaping: Sendable {
    case none
    /// `\n`, `\c` and `\\`.
    case v1_1
    /// And `\r`.
    case v1_2

    static func of(_ version: STOMPVersion) -> STOMPEscaping {
        switch version {
        case .v1_0: return .none
        case .v1_1: return .v1_1
        case .v1_2: return .v1_2
        }
    }

    func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch (scalar, self) {
            case ("\0", _), ("\n", .none), ("\r", .none), ("\r", .v1_1): break
            case ("\\", .v1_1), ("\\", .v1_2): escaped.append(contentsOf: "\\\\".unicodeScalars)
            case ("\n", _): escaped.append(contentsOf: "\\n".unicodeScalars)
            case (":", .v1_1), (":", .v1_2): escaped.append(contentsOf: "\\c".unicodeScalars)
            case ("\r", .v1_2): escaped.append(contentsOf: "\\r".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }

    /// nil for an escape that the version does not have, which is fatal.
    func unescape(_ text: String) -> String? {
        if case .none = self { return text }
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var plain = String.UnicodeScalarView()
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\" else {
                plain.append(scalar)
                continue
            }
            switch (scalars.next(), self) {
            case ("\\", _): plain.append("\\")
            case ("n", _): plain.append("\n")
            case ("c", _): plain.append(":")
            case ("r", .v1_2): plain.append("\r")
            default: return nil
            }
        }
        return String(plain)
    }
}

extension STOMPFrame {
    /// Replaces all headers of a name by one, or adds it.
    mutating func set(_ name: String, _ value: String) {
        self.headers.removeAll { $0.name == name }
        self.headers.append(Header(name, value))
    }

    /// What a frame counts for in limits, in bytes.
    static func size(of headers: [Header], _ body: ByteBuffer) -> Int {
        headers.reduce(64 + body.readableBytes) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }
}
