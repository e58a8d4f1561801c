import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

/// Every error code of the server with what triggers it; Documentation/TURN.md has the same table.
@Suite struct ErrorCodeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let code: Int
        let trigger: String
        let run: @Sendable () -> ReadMessage?

        init(_ code: Int, _ trigger: String, _ run: @escaping @Sendable () -> ReadMessage?) {
            self.code = code
            self.trigger = trigger
            self.run = run
        }

        var testDescription: String { "\(self.code): \(self.trigger)" }
    }

    private static let peer = VirtualServer.peer

    static let cases: [Case] = [
        Case(300, "an allocation while the server drains and knows another") {
            let client = VirtualClient.fresh(.udp) { $0.alternateServer = VirtualServer.address("5.6.7.8", 3478) }
            client.server.core.drain()
            return client.allocate()
        },
        Case(400, "an allocation without REQUESTED-TRANSPORT") { VirtualClient.fresh().ask(.allocate) },
        Case(400, "credentials without a nonce") {
            let client = VirtualClient.fresh()
            client.nonce = ""
            var builder = STUNMessageBuilder(.request, .allocate, client.newID())
            builder.append(.username, text: "alice")
            builder.appendIntegrity(client.credential.integrityKey(.md5))
            return client.send(builder.finish().bytes)
        },
        Case(400, "PASSWORD-ALGORITHM without the list that the server sent") {
            let client = VirtualClient.fresh()
            client.nonce = client.send(client.request(.allocate))?.nonce
            return client.ask(.allocate) { $0.appendPasswordAlgorithm(.md5) }
        },
        Case(400, "EVEN-PORT together with RESERVATION-TOKEN") {
            VirtualClient.fresh().allocate { builder in
                builder.appendEvenPort(reservesNext: false)
                builder.append(.reservationToken, integer: UInt64(1))
            }
        },
        Case(400, "REQUESTED-ADDRESS-FAMILY together with ADDITIONAL-ADDRESS-FAMILY") {
            VirtualClient.fresh().allocate { builder in
                builder.appendRequestedAddressFamily(.ipv4)
                builder.appendAdditionalAddressFamily(.ipv6)
            }
        },
        Case(400, "RESERVATION-TOKEN together with a family") {
            VirtualClient.fresh().allocate { builder in
                builder.append(.reservationToken, integer: UInt64(1))
                builder.appendRequestedAddressFamily(.ipv4)
            }
        },
        Case(400, "EVEN-PORT that reserves together with ADDITIONAL-ADDRESS-FAMILY") {
            VirtualClient.fresh().allocate { builder in
                builder.appendEvenPort(reservesNext: true)
                builder.appendAdditionalAddressFamily(.ipv6)
            }
        },
        Case(400, "ADDITIONAL-ADDRESS-FAMILY for IPv4") {
            VirtualClient.fresh().allocate { $0.appendAdditionalAddressFamily(.ipv4) }
        },
        Case(400, "a TCP relay asked for over UDP") { VirtualClient.fresh().allocate(.tcp) },
        Case(400, "a malformed attribute") {
            VirtualClient.allocated().ask(.refresh) { $0.append(.lifetime, bytes: [1]) }
        },
        Case(400, "CreatePermission without a peer") { VirtualClient.allocated().ask(.createPermission) },
        Case(400, "a channel number that is none") { VirtualClient.allocated().bind(0x3FFF, peer) },
        Case(400, "a channel that is bound to another peer") {
            let client = VirtualClient.allocated()
            client.bind(0x4000, peer)
            return client.bind(0x4000, peer.withPort(1))
        },
        Case(400, "a peer that has another channel") {
            let client = VirtualClient.allocated()
            client.bind(0x4000, peer)
            return client.bind(0x4001, peer)
        },
        Case(400, "ConnectionBind for no connection") {
            VirtualClient.fresh(.tcp).ask(.connectionBind) { $0.append(.connectionID, integer: UInt32(9)) }
        },
        Case(401, "no credentials") {
            let client = VirtualClient.fresh()
            return client.send(client.request(.allocate))
        },
        Case(401, "a wrong password") {
            let client = VirtualClient.fresh()
            client.password = "wrong"
            return client.allocate()
        },
        Case(401, "an unknown user") {
            let client = VirtualClient.fresh()
            client.username = "mallory"
            return client.allocate()
        },
        Case(403, "a permission for a refused peer") {
            VirtualClient.allocated().permit(VirtualServer.address("10.0.0.1", 0))
        },
        Case(403, "a channel to a service of the server's") {
            let client = VirtualClient.allocated(.udp, .udp) {
                $0.peerFilter.relayAddresses = [VirtualServer.address("9.9.9.9", 0)]
            }
            return client.bind(0x4000, VirtualServer.address("9.9.9.9", 22))
        },
        Case(403, "a channel of a TCP allocation") { VirtualClient.allocated(.tcp, .tcp).bind(0x4000, peer) },
        Case(420, "an attribute that nobody knows") {
            VirtualClient.fresh().allocate { $0.append(STUNAttributeType(rawValue: 0x7777)) }
        },
        Case(420, "CHANGE-REQUEST where there is no second address") {
            let client = VirtualClient.fresh()
            return client.send(client.request(.binding, nil) { $0.appendChangeRequest(.changeIP) })
        },
        Case(437, "a second allocation") { VirtualClient.allocated().allocate() },
        Case(437, "a refresh without an allocation") { VirtualClient.fresh().refresh(600) },
        Case(437, "Connect of a UDP allocation") {
            VirtualClient.allocated().ask(.connect) { $0.append(.xorPeerAddress, address: peer) }
        },
        Case(438, "a nonce that is too old") {
            let client = VirtualClient.allocated(.udp, .udp) { $0.maximumLifetime = 3_600 }
            _ = client.refresh(3_600)
            client.server.advance(seconds: 601)
            return client.refresh(600)
        },
        Case(438, "a nonce of somebody else") {
            let client = VirtualClient.allocated()
            let other = VirtualClient(client.server, VirtualServer.client(2))
            other.nonce = client.nonce
            return other.allocate()
        },
        Case(440, "a family that the server does not have") {
            VirtualClient.fresh(.udp) { $0.relayFamilies = [.ipv4] }.allocate { $0.appendRequestedAddressFamily(.ipv6) }
        },
        Case(441, "a request of another user") {
            let client = VirtualClient.allocated()
            client.username = "bob"
            client.password = "builder"
            return client.refresh(600)
        },
        Case(442, "a transport that is neither UDP nor TCP") {
            VirtualClient.fresh().ask(.allocate) { $0.append(.requestedTransport, integer: UInt32(132) << 24) }
        },
        Case(442, "TCP where the server relays none") {
            VirtualClient.fresh(.tcp) { $0.relaysTCP = false }.allocate(.tcp)
        },
        Case(443, "a peer of a family that the allocation does not have") {
            VirtualClient.allocated().permit(VirtualServer.address("2600::1", 1))
        },
        Case(443, "a refresh for a family that the allocation does not have") {
            VirtualClient.allocated().ask(.refresh) { $0.appendRequestedAddressFamily(.ipv6) }
        },
        Case(446, "a second connection to a peer") {
            let client = VirtualClient.allocated(.tcp, .tcp)
            client.ask(.connect) { $0.append(.xorPeerAddress, address: peer) }
            return client.ask(.connect) { $0.append(.xorPeerAddress, address: peer) }
        },
        Case(447, "a peer that cannot be connected to") {
            let client = VirtualClient.allocated(.tcp, .tcp)
            client.ask(.connect) { $0.append(.xorPeerAddress, address: peer) }
            client.server.core.peerConnectionFailed(client.server.connecting[0].connection, now: client.server.now)
            client.server.drain()
            return client.server.sent.last.flatMap { ReadMessage($0.bytes) }
        },
        Case(447, "a peer that does not answer for 30 seconds") {
            let client = VirtualClient.allocated(.tcp, .tcp)
            client.ask(.connect) { $0.append(.xorPeerAddress, address: peer) }
            client.server.advance(seconds: 31)
            return client.server.sent.last.flatMap { ReadMessage($0.bytes) }
        },
        Case(447, "a peer that closes before its connection was seen open") {
            let client = VirtualClient.allocated(.tcp, .tcp)
            client.ask(.connect) { $0.append(.xorPeerAddress, address: peer) }
            client.server.core.peerDisconnected(client.server.connecting[0].connection, now: client.server.now)
            client.server.drain()
            return client.server.sent.last.flatMap { ReadMessage($0.bytes) }
        },
        Case(486, "more allocations than a user may have") {
            let server = VirtualServer(limits: .init(allocationsPerUser: 1))
            VirtualClient(server, VirtualServer.client(1)).allocate()
            return VirtualClient(server, VirtualServer.client(2)).allocate()
        },
        Case(500, "a user that cannot be found out about") {
            let client = VirtualClient.fresh(.udp) { $0.authentication = .credentials(.init(asksOwner: true)) }
            client.allocate()
            client.server.core.authenticated(client.server.questions[0].id, .unavailable, now: client.server.now)
            client.server.drain()
            return client.server.sent.last.flatMap { ReadMessage($0.bytes) }
        },
        Case(500, "a user about whom nothing is known after 5 seconds") {
            let client = VirtualClient.fresh(.udp) { $0.authentication = .credentials(.init(asksOwner: true)) }
            client.allocate()
            client.server.advance(seconds: 7)
            return client.server.sent.last.flatMap { ReadMessage($0.bytes) }
        },
        Case(508, "more allocations than the server has") {
            let server = VirtualServer(limits: .init(allocations: 1))
            VirtualClient(server, VirtualServer.client(1)).allocate()
            return VirtualClient(server, VirtualServer.client(2)).allocate()
        },
        Case(508, "no port that is free") {
            let client = VirtualClient.fresh()
            client.server.relayErrors[.ipv4] = .insufficientCapacity
            return client.allocate()
        },
        Case(508, "a reservation that there is not") {
            VirtualClient.fresh().allocate { $0.append(.reservationToken, integer: UInt64(1)) }
        },
        Case(508, "more permissions than an allocation has") {
            let client = VirtualClient.allocated(.udp, .udp) { $0.permissionsPerAllocation = 1 }
            client.permit(peer)
            return client.permit(VirtualServer.address("8.8.4.4", 1))
        },
        Case(508, "more channels than an allocation has") {
            let client = VirtualClient.allocated(.udp, .udp) { $0.channelsPerAllocation = 1 }
            client.bind(0x4000, peer)
            return client.bind(0x4001, peer.withPort(1))
        },
        Case(508, "an allocation while the server drains") {
            let client = VirtualClient.fresh()
            client.server.core.drain()
            return client.allocate()
        },
    ]

    @Test("Each error code comes from its trigger", arguments: cases)
    func code(_ test: Case) {
        let answer = test.run()
        #expect(answer?.message.messageClass == .errorResponse)
        #expect(answer?.code == test.code)
    }

    @Test("Every code that the module names has a trigger")
    func complete() {
        #expect(Set(Self.cases.map(\.code)) == Set(TURNErrorCode.all.map(\.rawValue)))
    }
}
