import RTCSignaling
package import RTCSignalingServer
import RTCWHIP
package import WebRTC

/// Streams that come by WHIP and go by WHEP, and a page that does both.
package struct LiveServices: Sendable {
    private let whip: WHIPService
    private let whep: WHEPService
    private let token: String

    /// Services without streams, whose connections are of `endpoint`.
    package init(_ options: LiveOptions, endpoint: WebRTCEndpoint) {
        let streams = LiveStreams()
        self.token = options.token ?? LiveOptions.randomToken()
        self.whip = WHIPService(
            path: "/whip",
            endpoint: endpoint,
            streams: streams,
            configuration: options.configuration(token: self.token)
        )
        self.whep = WHEPService(
            path: "/whep",
            endpoint: endpoint,
            streams: streams,
            negotiation: options.counterOffers ? .counterOffers : .answers,
            configuration: options.configuration(token: options.viewToken)
        )
    }

    /// Serves `/whip/NAME`, `/whep/NAME` and the page.
    package func serve(on routes: inout SignalingRoutes, page path: String) {
        let page = SignalingResponse(200, headers: ["content-type": "text/html; charset=utf-8"], text: LivePage.html)
        routes.http(path) { _ in page }
        routes.http(prefix: "/whip") { [whip] in await whip.respond(to: $0) }
        routes.http(prefix: "/whep") { [whep] in await whep.respond(to: $0) }
    }

    /// Says how to publish and how to watch, at the server's URL, which ends with a slash.
    package func invitation(_ url: String) -> String {
        "Publish to \(url)whip/NAME with the token \(self.token), watch \(url)whep/NAME"
    }

    /// Ends all sessions.
    package func close() async {
        await self.whip.close()
        await self.whep.close()
    }
}
