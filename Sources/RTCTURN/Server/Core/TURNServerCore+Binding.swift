internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension TURNServerCore {
    /// Answers a binding request (RFC 8489 section 6.3), and tells of the NAT's behaviour where the server has a second
    /// address (RFC 5780 section 6.1).
    func receiveBinding(_ request: TURNRequest, _ attributes: TURNAttributes, now: NIODeadline) {
        guard self.mayAnswer(request, now: now) else { return }
        let server = request.client.server
        let other = request.client.transport == .udp ? self.configuration.otherAddresses[server] : nil
        var unknown = attributes.unknownRequired
        if other == nil {
            if attributes.changeRequest.map({ !$0.isEmpty }) == true { unknown.append(.changeRequest) }
            if attributes.responsePort != nil { unknown.append(.responsePort) }
            if attributes.paddingSize != nil { unknown.append(.padding) }
        }
        guard unknown.isEmpty else {
            return self.refuse(request, .unknownAttribute) { $0.appendUnknownAttributes(unknown) }
        }
        guard attributes.malformed.isEmpty, attributes.paddingSize == nil || attributes.responsePort == nil else {
            return self.refuse(request, .badRequest)
        }
        self.counters.bindings += 1
        self.counters.successes += 1
        var builder = STUNMessageBuilder(.successResponse, .binding, request.transactionID)
        builder.append(.xorMappedAddress, address: request.client.client)
        var origin = server
        var target = request.client
        if let other {
            origin = Self.origin(server, other, attributes.changeRequest ?? [])
            // Old clients of RFC 5780's predecessor know no other.
            builder.append(.mappedAddress, address: request.client.client)
            builder.append(.responseOrigin, address: origin)
            builder.append(.otherAddress, address: other)
            if let port = attributes.responsePort { target.client.port = port }
            // No more than came, so nobody gains by asking.
            if let size = attributes.paddingSize { builder.appendPadding(size: size) }
        }
        if request.hasFingerprint { builder.appendFingerprint() }
        self.outputs.append(.send(builder.finish(), to: target, from: origin))
    }

    private static func origin(
        _ server: TransportAddress,
        _ other: TransportAddress,
        _ change: STUNChangeRequest
    ) -> TransportAddress {
        let ip = change.contains(.changeIP) ? other : server
        return ip.withPort(change.contains(.changePort) ? other.port : server.port)
    }
}
