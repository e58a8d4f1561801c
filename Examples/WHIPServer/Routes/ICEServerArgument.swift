import ArgumentParser
package import WebRTC

/// A STUN or TURN server as an argument: `turn:relay.example.org,user,password`.
package struct ICEServerArgument: ExpressibleByArgument {
    package let server: RTCIceServer

    package init?(argument: String) {
        let parts = argument.split(separator: ",", maxSplits: 2).map(String.init)
        guard parts.count == 1 || parts.count == 3 else { return nil }
        let hasCredentials = parts.count == 3
        self.server = RTCIceServer(
            urls: [parts[0]],
            username: hasCredentials ? parts[1] : nil,
            credential: hasCredentials ? parts[2] : nil
        )
        guard (try? self.server.validate()) != nil else { return nil }
    }
}
