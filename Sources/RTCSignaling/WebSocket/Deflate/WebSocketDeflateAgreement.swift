/// What a client and a server have agreed upon about compression (RFC 7692 section 7.1).
public struct WebSocketDeflateAgreement: Sendable, Hashable {
    /// A response of a server that fits no offer of this client: the connection must fail.
    public struct Mismatch: Error, Sendable, Hashable {}

    /// Whether the server forgets after each message what was in it.
    public var serverNoContextTakeover = false
    /// Whether the client does.
    public var clientNoContextTakeover = false
    /// The window for what the server sends, as a power of two, from 8 to 15.
    public var serverMaxWindowBits = 15
    /// The window for what the client sends, as a power of two, from 8 to 15.
    public var clientMaxWindowBits = 15

    private static let name = "permessage-deflate"
    private var saysClientWindow = false

    /// What stands where no parameter was agreed upon: full windows that are kept from message to message.
    public init() {}

    /// What a server agrees to of a client's offers: the first that it can keep to.
    ///
    /// - Parameter extensions: The values of `Sec-WebSocket-Extensions` in the request.
    /// - Returns: nil if there is none.
    public static func accepting(
        _ extensions: [String],
        _ configuration: WebSocketDeflateConfiguration
    ) -> WebSocketDeflateAgreement? {
        let offers = WebSocketExtensionOffer.parse(extensions) ?? []
        return offers.lazy.compactMap { offer in
            Parameters(offer, isResponse: false).flatMap { Self.accepting($0, configuration) }
        }.first
    }

    private static func accepting(
        _ offered: Parameters,
        _ configuration: WebSocketDeflateConfiguration
    ) -> WebSocketDeflateAgreement? {
        var agreement = WebSocketDeflateAgreement()
        agreement.serverNoContextTakeover = offered.serverNoContextTakeover || configuration.serverNoContextTakeover
        agreement.clientNoContextTakeover = offered.clientNoContextTakeover || configuration.clientNoContextTakeover
        agreement.serverMaxWindowBits = min(offered.serverMaxWindowBits ?? 15, configuration.serverWindow)
        // zlib has no raw window of 256 bytes to compress with.
        guard agreement.serverMaxWindowBits >= 9 else { return nil }
        // Only who said that it knows the parameter can be told.
        if let client = offered.clientMaxWindowBits {
            agreement.clientMaxWindowBits = min(client, configuration.clientWindow)
            agreement.saysClientWindow = true
        }
        return agreement
    }

    /// What a server answered to ``WebSocketDeflateConfiguration/offer``; nil if it does not compress.
    ///
    /// - Parameter extensions: The values of `Sec-WebSocket-Extensions` in the response.
    public static func answered(
        _ extensions: [String],
        _ configuration: WebSocketDeflateConfiguration
    ) throws(Mismatch) -> WebSocketDeflateAgreement? {
        guard let answers = WebSocketExtensionOffer.parse(extensions), answers.count <= 1 else { throw Mismatch() }
        guard let answer = answers.first else { return nil }
        guard let answered = Parameters(answer, isResponse: true) else { throw Mismatch() }
        var agreement = WebSocketDeflateAgreement()
        agreement.serverNoContextTakeover = answered.serverNoContextTakeover
        agreement.clientNoContextTakeover = answered.clientNoContextTakeover || configuration.clientNoContextTakeover
        agreement.serverMaxWindowBits = answered.serverMaxWindowBits ?? 15
        agreement.clientMaxWindowBits = min(answered.clientMaxWindowBits ?? 15, configuration.clientWindow)
        guard agreement.serverMaxWindowBits <= configuration.serverWindow,
            answered.serverNoContextTakeover || !configuration.serverNoContextTakeover,
            (answered.clientMaxWindowBits ?? 8) <= configuration.clientWindow
        else { throw Mismatch() }
        return agreement
    }

    /// The value of `Sec-WebSocket-Extensions` in the server's response.
    public var response: String {
        var text = Self.name
        if self.serverNoContextTakeover { text += "; server_no_context_takeover" }
        if self.clientNoContextTakeover { text += "; client_no_context_takeover" }
        if self.serverMaxWindowBits < 15 { text += "; server_max_window_bits=\(self.serverMaxWindowBits)" }
        if self.saysClientWindow, self.clientMaxWindowBits < 15 {
            text += "; client_max_window_bits=\(self.clientMaxWindowBits)"
        }
        return text
    }

    /// The parameters of an offer or a response.
    private struct Parameters {
        var serverNoContextTakeover = false
        var clientNoContextTakeover = false
        var serverMaxWindowBits: Int?
        var clientMaxWindowBits: Int?

        /// nil for another extension, and for parameters that are unknown, repeated or have no such value.
        init?(_ offer: WebSocketExtensionOffer, isResponse: Bool) {
            guard offer.name == WebSocketDeflateAgreement.name else { return nil }
            guard Set(offer.parameters.map(\.name)).count == offer.parameters.count else { return nil }
            for parameter in offer.parameters {
                switch (parameter.name, parameter.value) {
                case ("server_no_context_takeover", nil): self.serverNoContextTakeover = true
                case ("client_no_context_takeover", nil): self.clientNoContextTakeover = true
                case ("server_max_window_bits", let value?):
                    guard let bits = Self.bits(value) else { return nil }
                    self.serverMaxWindowBits = bits
                case ("client_max_window_bits", let value?):
                    guard let bits = Self.bits(value) else { return nil }
                    self.clientMaxWindowBits = bits
                // An offer may leave it to the server.
                case ("client_max_window_bits", nil) where !isResponse: self.clientMaxWindowBits = 15
                default: return nil
                }
            }
        }

        /// 8 to 15 without leading zeros (section 7.1.2).
        private static func bits(_ text: String) -> Int? {
            guard let bits = Int(text), (8...15).contains(bits), String(bits) == text else { return nil }
            return bits
        }
    }
}
