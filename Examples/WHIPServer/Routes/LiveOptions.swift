import ArgumentParser
import RTCBase
import RTCWHIP

/// Who may publish and watch, and how.
package struct LiveOptions: ParsableArguments {
    package init() {}

    @Option(
        help: ArgumentHelp("The bearer token that publishers need; a random one if none is given.", valueName: "text")
    )
    var token: String?

    @Option(help: ArgumentHelp("The bearer token that viewers need; none if none is given.", valueName: "text"))
    var viewToken: String?

    @Option(
        help: ArgumentHelp(
            "Tell clients of this STUN or TURN server; a TURN server with its user and password, separated by commas.",
            valueName: "url[,user,password]"
        )
    )
    var iceServer: [ICEServerArgument] = []

    @Flag(help: "Answer viewers' offers with one of the server's own (406).")
    var counterOffers = false

    func configuration(token: String?) -> WHIPServiceConfiguration {
        var configuration = WHIPServiceConfiguration()
        let servers = self.iceServer.map(\.server)
        configuration.iceServers = { _ in servers }
        if let token {
            configuration.authorize = { $0.token?.matches(token) == true ? nil : .unauthorized }
        }
        return configuration
    }

    static func randomToken() -> String {
        var random = RandomSource.system
        return random.bytes(count: 16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
