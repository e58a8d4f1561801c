import NIOHTTP1
package import WebRTC

/// Posts offers to programs that answer them over HTTP.
package enum OfferClient {
    /// Sends the offer, returns the answer.
    ///
    /// - Throws: ``ExampleFailure`` if the server cannot be reached or refuses the offer.
    package static func answer(
        to offer: RTCSessionDescription,
        from server: HTTPURL
    ) async throws(ExampleFailure) -> RTCSessionDescription {
        let response = try await HTTPClient.post(try JSON.encode(SignalingMessage(offer)), to: server.offerURL)
        guard response.status == .ok else {
            let reason = (try? JSON.decode(SignalingRefusal.self, from: response.body))?.error
            let code = "\(response.status.code) \(response.status.reasonPhrase)"
            throw ExampleFailure("the server refused the offer: \(code)\(reason.map { " (\($0))" } ?? "")")
        }
        return try JSON.decode(SignalingMessage.self, from: response.body).description(of: .answer)
    }
}
