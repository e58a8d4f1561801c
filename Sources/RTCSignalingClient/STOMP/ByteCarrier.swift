import NIOCore
import RTCSignaling

/// What carries the frames of STOMP.
protocol ByteCarrier: Sendable {
    /// Sends bytes; suspends while too much waits to be sent.
    func send(_ bytes: ByteBuffer) async throws(SignalingChannelError)
    /// The next bytes; nil at the end.
    func receiveBytes() async throws(SignalingChannelError) -> ByteBuffer?
    /// Closes after what was sent.
    func close() async
}

/// STOMP in the messages of a WebSocket.
struct WebSocketCarrier: ByteCarrier {
    let socket: WebSocketClient

    func send(_ bytes: ByteBuffer) async throws(SignalingChannelError) {
        // Frames are text for most brokers; what is not UTF-8 can only go as bytes.
        if let text = String(validating: bytes.readableBytesView, as: UTF8.self) {
            try await self.socket.send(.text(text))
        } else {
            try await self.socket.send(.binary(bytes))
        }
    }

    func receiveBytes() async throws(SignalingChannelError) -> ByteBuffer? {
        switch try await self.socket.receiveMessage() {
        case .text(let text)?: return ByteBuffer(string: text)
        case .binary(let bytes)?: return bytes
        case nil: return nil
        }
    }

    func close() async { await self.socket.close() }
}

/// STOMP in the messages of any channel of text.
struct ChannelCarrier: ByteCarrier {
    let channel: any SignalingChannel

    func send(_ bytes: ByteBuffer) async throws(SignalingChannelError) {
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            throw .invalidArgument(reason: "this channel carries text only")
        }
        try await self.channel.send(text)
    }

    func receiveBytes() async throws(SignalingChannelError) -> ByteBuffer? {
        try await self.channel.receive().map { ByteBuffer(string: $0) }
    }

    func close() async { await self.channel.close() }
}
