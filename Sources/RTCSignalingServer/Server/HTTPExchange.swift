import NIOCore
import RTCSignaling

/// Where the response to one request goes, on a connection of HTTP/1.1 or a stream of HTTP/2; confined to the server's event loop.
protocol HTTPExchange: AnyObject {
    /// Says who hears if the client goes away before the response is whole.
    func hold(for streamer: any ExchangeStreamer)
    /// Sends a whole response, with this body in the place of its own.
    func respond(_ response: SignalingResponse, body: ResponseBody)
    /// Begins a response whose body comes in pieces.
    func begin(_ response: SignalingResponse, streamedBy streamer: any ExchangeStreamer)
    /// Sends a piece of the body.
    func write(_ bytes: ByteBuffer)
    /// Ends the body.
    func end()
}

extension HTTPExchange {
    /// Sends a whole response.
    func respond(_ response: SignalingResponse) { self.respond(response, body: .bytes(response.body)) }
}

extension SignalingResponse {
    /// With the length of a body, where a response of this status may have one (RFC 9110 section 8.6).
    func withLength(of body: ResponseBody) -> SignalingResponse {
        guard self.status != 204, self.status != 304 else { return self }
        var response = self
        response.headers.set("content-length", String(body.size))
        return response
    }
}

extension ByteBuffer {
    /// So many bytes a slow client takes in less than the time of idleness.
    static let responsePieceSize = 32 << 10

    /// The bytes in pieces of this size.
    var responsePieces: some Sequence<ByteBuffer> {
        sequence(state: self) { rest in
            let count = Swift.min(rest.readableBytes, Self.responsePieceSize)
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
