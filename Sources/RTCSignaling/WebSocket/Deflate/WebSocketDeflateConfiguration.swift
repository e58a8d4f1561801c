/// How messages are compressed where both sides can (permessage-deflate, RFC 7692).
///
/// A connection needs memory for it from its first compressed message on, in each direction: about 2^(window bits + 2) +
/// 2^(``memoryLevel`` + 9) bytes to compress, and 2^(window bits) + 10 KiB to decompress. With the defaults these are 32 KiB and 14
/// KiB, and 42 KiB where a client does not let a server limit its window.
public struct WebSocketDeflateConfiguration: Sendable, Hashable {
    /// The window for what the server sends, as a power of two, from 9 to 15; others are taken for the nearest. Default 12.
    public var serverMaxWindowBits = 12
    /// The window for what the client sends, as a power of two, from 9 to 15; others are taken for the nearest. Default 12.
    public var clientMaxWindowBits = 12
    /// Whether the server is to forget after each message what was in it. Default false.
    public var serverNoContextTakeover = false
    /// Whether the client is to forget after each message what was in it. Default false.
    public var clientNoContextTakeover = false
    /// Messages that are smaller are sent as they are, in bytes. Default 256.
    ///
    /// Secrets beside text that somebody else chose may be guessed from the size of what is sent; what must not be guessed belongs in
    /// messages below this size, or in connections without compression.
    public var minimumSize = 256
    /// How hard to try, from 1 to 9. Default 6.
    public var level = 6
    /// How much memory compressing takes beside the window, from 1 to 9. Default 5.
    public var memoryLevel = 5

    /// The defaults.
    public init() {}

    /// The value of `Sec-WebSocket-Extensions` by which a client offers it.
    public var offer: String {
        var text = "permessage-deflate"
        if self.serverNoContextTakeover { text += "; server_no_context_takeover" }
        if self.clientNoContextTakeover { text += "; client_no_context_takeover" }
        if self.serverWindow < 15 { text += "; server_max_window_bits=\(self.serverWindow)" }
        return text + "; client_max_window_bits=\(self.clientWindow)"
    }

    var serverWindow: Int { Self.window(self.serverMaxWindowBits) }
    var clientWindow: Int { Self.window(self.clientMaxWindowBits) }

    private static func window(_ bits: Int) -> Int { min(max(bits, 9), 15) }
}
