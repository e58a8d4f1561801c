import JSONLines
import RTCCore
import WebRTC

/// What `createPeer` and `setConfiguration` say of a connection.
struct ConnectionOptions {
    var configuration = RTCConfiguration()
    var addressPolicy = RTCAddressPolicy.defaults
    /// Whether the connection has an endpoint of its own, in the place of sockets.
    var usesEndpoint = false

    init(_ members: JSONValue?) {
        guard let members else { return }
        self.configuration.iceServers = (members["iceServers"]?.array ?? []).map { server in
            RTCIceServer(
                urls: server["urls"]?.array?.compactMap(\.string) ?? [],
                username: server["username"]?.string,
                credential: server["credential"]?.string
            )
        }
        if members["iceTransportPolicy"]?.string == "relay" { self.configuration.iceTransportPolicy = .relay }
        self.configuration.offersRenomination = members["renomination"]?.bool ?? false
        if let pem = members["trust"]?.string { self.configuration.iceServerTrust = .certificates(pem: pem) }
        for role in members["tcp"]?.array?.compactMap(\.string) ?? [] {
            self.addressPolicy.tcp.insert(role == "active" ? .active : .passive)
        }
        if members["followsAddresses"]?.bool == false { self.addressPolicy.networkChanges = .ignore }
        self.addressPolicy.hidesAddresses = members["hidesAddresses"]?.bool ?? false
        self.usesEndpoint = members["endpoint"]?.bool ?? false
        self.addressPolicy.usesUDP = members["udp"]?.bool ?? true
        self.addressPolicy.addresses = members["addresses"]?.array?.compactMap(\.string) ?? []
    }
}
