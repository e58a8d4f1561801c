import NIOCore

/// Puts frames together to messages as their bytes come (RFC 6455 sections 5 and 7).
///
/// Payloads are taken as they come and not frame by frame, so text that is not UTF-8 is found at once, and a frame that is
/// announced takes no room before it is there.
struct WebSocketMessageReader: Sendable {
    enum Element {
        case needsMore
        case message(WebSocketMessage)
        case ping(ByteBuffer)
        case pong
        case close(WebSocketCloseCode, String)
        case failure(WebSocketCloseCode)
    }

    private struct Frame {
        var header: WebSocketFrameHeader
        var received = 0
        var control = ByteBuffer()

        var remaining: Int { self.header.length - self.received }
    }

    private struct Message {
        var isText: Bool
        var isCompressed: Bool
        var payload = ByteBuffer()
        var text = UTF8Validator()
    }

    private struct Limits {
        var frame: Int
        var message: Int
    }

    /// Reads compressed messages; nil where none may come.
    var decompressor: WebSocketDecompressor?

    private var input = ByteBuffer()
    private var frame: Frame?
    private var message: Message?

    mutating func append(_ bytes: ByteBuffer) {
        guard self.input.readableBytes > 0 else {
            self.input = bytes
            return
        }
        self.input.writeImmutableBuffer(bytes)
    }

    /// What comes next in the bytes so far.
    mutating func next(expectsMask: Bool, frameLimit: Int, messageLimit: Int) -> Element {
        let limits = Limits(frame: frameLimit, message: messageLimit)
        while true {
            if var frame = self.frame {
                let element = self.takePayload(&frame, limits)
                self.frame = frame.remaining == 0 ? nil : frame
                if let element { return element }
                if frame.remaining > 0 { return .needsMore }
            } else {
                switch Result(catching: { () throws(WebSocketFrameHeader.Failure) in
                    try WebSocketFrameHeader.read(
                        from: &self.input,
                        expectsMask: expectsMask,
                        allowsCompression: self.decompressor != nil
                    )
                }) {
                case .success(nil): return .needsMore
                case .failure: return .failure(.protocolError)
                case .success(let header?):
                    if let code = self.begin(header, limits) { return .failure(code) }
                    self.frame = Frame(header: header)
                }
            }
        }
    }

    /// Whether a frame may stand here; what it breaks, or nil.
    private mutating func begin(_ header: WebSocketFrameHeader, _ limits: Limits) -> WebSocketCloseCode? {
        guard !header.opcode.isControl else { return nil }
        guard (header.opcode == .continuation) == (self.message != nil) else { return .protocolError }
        let soFar = self.message?.payload.readableBytes ?? 0
        let isCompressed = self.message?.isCompressed ?? header.isCompressed
        // How large a compressed one is shows when it is decompressed.
        guard header.length <= limits.frame, isCompressed || header.length <= limits.message - soFar else {
            return .messageTooBig
        }
        if self.message == nil {
            self.message = Message(isText: header.opcode == .text, isCompressed: isCompressed)
        }
        return nil
    }

    /// Takes what is there of a frame's payload.
    private mutating func takePayload(_ frame: inout Frame, _ limits: Limits) -> Element? {
        let count = min(frame.remaining, self.input.readableBytes)
        guard var bytes = self.input.readSlice(length: count) else { return .needsMore }
        if let key = frame.header.maskingKey, count > 0 {
            WebSocketFrameHeader.mask(&bytes, key: key, offset: frame.received)
        }
        frame.received += count
        guard !frame.header.opcode.isControl else {
            frame.control.writeBuffer(&bytes)
            return frame.remaining == 0 ? Self.control(frame) : nil
        }
        guard var message = self.message else { return .failure(.protocolError) }
        self.message = nil
        let isWhole = frame.remaining == 0 && frame.header.isFinal
        if let code = self.append(&bytes, isLast: isWhole, to: &message, limits) { return .failure(code) }
        guard isWhole else {
            self.message = message
            return nil
        }
        guard message.isText else { return .message(.binary(message.payload)) }
        guard message.text.isComplete else { return .failure(.invalidPayload) }
        return .message(.text(String(buffer: message.payload)))
    }

    /// Puts a piece of the payload behind what there is of the message; the code to close with if that cannot be.
    private mutating func append(
        _ bytes: inout ByteBuffer,
        isLast: Bool,
        to message: inout Message,
        _ limits: Limits
    ) -> WebSocketCloseCode? {
        guard message.isCompressed else {
            if message.isText, !message.text.append(bytes) { return .invalidPayload }
            message.payload.writeBuffer(&bytes)
            return nil
        }
        let start = message.payload.writerIndex
        let code = self.decompressor?.decompress(bytes, isLast: isLast, into: &message.payload, limit: limits.message)
        if let code { return code }
        guard message.isText,
            let made = message.payload.getSlice(at: start, length: message.payload.writerIndex - start)
        else { return nil }
        return message.text.append(made) ? nil : .invalidPayload
    }

    private static func control(_ frame: Frame) -> Element {
        switch frame.header.opcode {
        case .ping: return .ping(frame.control)
        case .close: return self.close(frame.control)
        default: return .pong
        }
    }

    private static func close(_ payload: ByteBuffer) -> Element {
        var payload = payload
        guard payload.readableBytes > 0 else { return .close(.noStatus, "") }
        guard let number: UInt16 = payload.readInteger() else { return .failure(.protocolError) }
        let code = WebSocketCloseCode(rawValue: number)
        guard code.isSendable else { return .failure(.protocolError) }
        var reason = UTF8Validator()
        guard reason.append(payload), reason.isComplete else { return .failure(.invalidPayload) }
        return .close(code, String(buffer: payload))
    }
}
