import NIOCore

/// Cuts a stream of bytes into frames.
struct STOMPFrameReader: Sendable {
    enum Element: Equatable {
        case needsMore
        case frame(STOMPFrame)
        /// What follows cannot be read; nothing more comes.
        case failure(String)
    }

    /// Limits of what is taken.
    struct Limits: Sendable {
        /// Bytes of command and headers.
        var headSize = 16 << 10
        var headers = 64
        var bodySize = 256 << 10
    }

    private struct Head: Sendable {
        var frame: STOMPFrame
        var length: Int?
    }

    var version = STOMPVersion.v1_0
    var limits = Limits()
    private var input = ByteBuffer()
    private var head: Head?
    private var hasFailed = false

    /// Bytes that wait for the rest of their frame or to be looked at.
    var pendingBytes: Int { self.input.readableBytes }

    mutating func append(_ bytes: ByteBuffer) {
        guard !self.hasFailed else { return }
        self.input.writeImmutableBuffer(bytes)
        self.input.discardReadBytes()
    }

    /// The next frame in the bytes so far.
    mutating func next() -> Element {
        guard !self.hasFailed else { return .needsMore }
        do throws(Failure) {
            if self.head == nil { self.head = try self.readHead() }
            guard let head = self.head, let body = try self.readBody(head) else { return .needsMore }
            self.head = nil
            var frame = head.frame
            frame.body = body
            return .frame(frame)
        } catch {
            self.hasFailed = true
            self.input = ByteBuffer()
            return .failure(error.reason)
        }
    }

    private struct Failure: Error {
        var reason: String
    }

    private mutating func readHead() throws(Failure) -> Head? {
        // Line ends between frames are heart-beats.
        while let byte: UInt8 = self.input.getInteger(at: self.input.readerIndex), byte == 0x0A || byte == 0x0D {
            self.input.moveReaderIndex(forwardBy: 1)
        }
        guard let end = self.endOfHead() else {
            guard self.input.readableBytes <= self.limits.headSize else { throw Failure(reason: "headers too large") }
            return nil
        }
        guard end <= self.limits.headSize, let bytes = self.input.readSlice(length: end) else {
            throw Failure(reason: "headers too large")
        }
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            throw Failure(reason: "headers are not UTF-8")
        }
        return try self.parse(text)
    }

    /// The size of command, headers and the empty line behind them, once that is there.
    private func endOfHead() -> Int? {
        var lineStart = 0
        for (index, byte) in self.input.readableBytesView.enumerated() where byte == 0x0A {
            let length = index - lineStart
            let isEmpty =
                length == 0
                || (length == 1 && self.input.getInteger(at: self.input.readerIndex + lineStart) == UInt8(0x0D))
            if isEmpty { return index + 1 }
            lineStart = index + 1
        }
        return nil
    }

    private func parse(_ text: String) throws(Failure) -> Head {
        // By scalars: Swift takes a carriage return and a line feed for one character.
        var lines = text.unicodeScalars.split(separator: "\n").map { line in
            line.last == "\r" ? Substring(line.dropLast()) : Substring(line)
        }
        guard !lines.isEmpty else { throw Failure(reason: "no command") }
        var frame = STOMPFrame(String(lines.removeFirst()))
        guard frame.command.unicodeScalars.allSatisfy({ ("A"..."Z").contains($0) }), frame.command.utf8.count <= 16
        else {
            throw Failure(reason: "not a command")
        }
        let isSettingUp = frame.command == "CONNECT" || frame.command == "CONNECTED"
        let escaping: STOMPEscaping = isSettingUp ? .none : .of(self.version)
        for line in lines where !line.isEmpty {
            guard frame.headers.count < self.limits.headers else { throw Failure(reason: "too many headers") }
            guard let colon = line.unicodeScalars.firstIndex(of: ":") else {
                throw Failure(reason: "a header without a colon")
            }
            let name = escaping.unescape(String(line[..<colon]))
            let value = escaping.unescape(String(line.unicodeScalars[colon...].dropFirst()))
            guard let name, let value, !name.isEmpty else { throw Failure(reason: "a header that cannot be read") }
            // Only 1.0 leaves spaces at will.
            frame.headers.append(.init(name, self.version == .v1_0 ? value.trimmingSpaces() : value))
        }
        guard let length = frame["content-length"] else { return Head(frame: frame) }
        guard let length = Int(length.trimmingSpaces()), length >= 0 else {
            throw Failure(reason: "content-length is no number")
        }
        guard length <= self.limits.bodySize else { throw Failure(reason: "body too large") }
        return Head(frame: frame, length: length)
    }

    private mutating func readBody(_ head: Head) throws(Failure) -> ByteBuffer? {
        if let length = head.length {
            guard self.input.readableBytes > length else { return nil }
            guard let body = self.input.readSlice(length: length), self.input.readInteger() == UInt8(0) else {
                throw Failure(reason: "no NUL behind the body")
            }
            return body
        }
        guard let end = self.input.readableBytesView.firstIndex(of: 0) else {
            guard self.input.readableBytes <= self.limits.bodySize else { throw Failure(reason: "body too large") }
            return nil
        }
        let length = end - self.input.readerIndex
        guard length <= self.limits.bodySize else { throw Failure(reason: "body too large") }
        let body = self.input.readSlice(length: length)
        self.input.moveReaderIndex(forwardBy: 1)
        return body
    }
}
