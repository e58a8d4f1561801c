import NIOCore
import NIOHTTP1
import WebRTC

/// What the server has under which path.
package struct OfferRoutes: Sendable {
    package let server: PeerServer
    package let page: String

    package init(server: PeerServer, page: String) {
        self.server = server
        self.page = page
    }

    /// Responds to a request; pages of any origin may use it.
    package func respond(to request: HTTPRequest) async -> HTTPResponse {
        var response = await self.route(request)
        response.headers.replaceOrAdd(name: "access-control-allow-origin", value: "*")
        return response
    }

    private func route(_ request: HTTPRequest) async -> HTTPResponse {
        switch (request.path, request.method) {
        case ("/", .GET):
            return HTTPResponse(
                .ok,
                headers: ["content-type": "text/html; charset=utf-8", "cache-control": "no-cache"],
                body: ByteBuffer(string: self.page)
            )
        case ("/", _):
            return self.methodNotAllowed("GET")
        case ("/offer", .POST):
            return await self.answer(request.body)
        case ("/offer", .OPTIONS):
            // What a browser asks before it posts JSON from another origin (Fetch, CORS preflight).
            return HTTPResponse(
                .noContent,
                headers: [
                    "access-control-allow-methods": "POST, OPTIONS",
                    "access-control-allow-headers": "content-type",
                    "access-control-max-age": "86400",
                ]
            )
        case ("/offer", _):
            return self.methodNotAllowed("POST, OPTIONS")
        default:
            return self.refuse(.notFound, "there is nothing under this path")
        }
    }

    private func answer(_ body: ByteBuffer) async -> HTTPResponse {
        do {
            let offer = try JSON.decode(SignalingMessage.self, from: body).description(of: .offer)
            let answer = try await self.server.answer(offer)
            return HTTPResponse(.ok, json: try JSON.encode(SignalingMessage(answer)))
        } catch PeerServer.Refusal.full {
            return self.refuse(.serviceUnavailable, "the server has as many peers as it takes")
        } catch PeerServer.Refusal.badOffer(let reason) {
            return self.refuse(.badRequest, reason)
        } catch {
            return self.refuse(.badRequest, String(describing: error))
        }
    }

    private func methodNotAllowed(_ allowed: String) -> HTTPResponse {
        var response = self.refuse(.methodNotAllowed, "the method is not one of: \(allowed)")
        response.headers.add(name: "allow", value: allowed)
        return response
    }

    private func refuse(_ status: HTTPResponseStatus, _ reason: String) -> HTTPResponse {
        let json = try? JSON.encode(SignalingRefusal(error: reason))
        return HTTPResponse(status, json: json ?? ByteBuffer(string: #"{"error":""}"#))
    }
}
