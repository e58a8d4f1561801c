import NIOCore
import RTCSignaling

/// Where the response to one request goes, on a connection of HTTP/1.1 or a stream of HTTP/2; confined to the server's event loop.
protocol HTTPExchange: AnyObject {
    /// Says who hears if the client goes away before the response is whole.
    func hold(for streamer: any ExchangeStreamer)
    /// Sends a whole response.
    func respond(_ response: SignalingResponse)
    /// Begins a response whose body comes in pieces.
    func begin(_ response: SignalingResponse, streamedBy streamer: any ExchangeStreamer)
    /// Sends a piece of the body.
    func write(_ bytes: ByteBuffer)
    /// Ends the body.
    func end()
}

extension ByteBuffer {
    /// The bytes in pieces, each of which a slow client takes in less than the time of idleness.
    var responsePieces: some Sequence<ByteBuffer> {
        sequence(state: self) { rest in
            let count = Swift.min(rest.readableBytes, 64 << 10)
            return count > 0 ? rest.readSlice(length: count) : nil
        }
    }
}

/// Who makes a response in pieces, or late.
protocol ExchangeStreamer: AnyObject {
    /// The client went away before the end.
    func exchangeEnded(_ exchange: ExchangeID)
    /// Whether the client takes more now.
    func setWritable(_ exchange: ExchangeID, _ isWritable: Bool)
}
