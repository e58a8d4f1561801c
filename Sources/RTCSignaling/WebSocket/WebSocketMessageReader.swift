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
        var payload = ByteBuffer()
        var text = UTF8Validator()
    }

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
        while true {
            if var frame = self.frame {
                let element = self.takePayload(&frame)
                self.frame = frame.remaining == 0 ? nil : frame
                if let element { return element }
                if frame.remaining > 0 { return .needsMore }
            } else {
                switch Result(catching: { () throws(WebSocketFrameHeader.Failure) in
                    try WebSocketFrameHeader.read(from: &self.input, expectsMask: expectsMask)
                }) {
                case .success(nil): return .needsMore
                case .failure: return .failure(.protocolError)
                case .success(let header?):
                    if let code = self.begin(header, frameLimit, messageLimit) { return .failure(code) }
                    self.frame = Frame(header: header)
                }
            }
        }
    }

    /// Whether a frame may stand here; what it breaks, or nil.
    private mutating func begin(
        _ header: WebSocketFrameHeader,
        _ frameLimit: Int,
        _ messageLimit: Int
    ) -> WebSocketCloseCode? {
        guard !header.opcode.isControl else { return nil }
        guard (header.opcode == .continuation) == (self.message != nil) else { return .protocolError }
        let soFar = self.message?.payload.readableBytes ?? 0
        guard header.length <= frameLimit, header.length <= messageLimit - soFar else { return .messageTooBig }
        if self.message == nil { self.message = Message(isText: header.opcode == .text) }
        return nil
    }

    /// Takes what is there of a frame's payload.
    private mutating func takePayload(_ frame: inout Frame) -> Element? {
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
        if message.isText, !message.text.append(bytes) { return .failure(.invalidPayload) }
        message.payload.writeBuffer(&bytes)
        guard frame.remaining == 0, frame.header.isFinal else {
            self.message = message
            return nil
        }
        guard message.isText else { return .message(.binary(message.payload)) }
        guard message.text.isComplete else { return .failure(.invalidPayload) }
        return .message(.text(String(buffer: message.payload)))
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
