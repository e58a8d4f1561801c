import Foundation
import NIOCore
import RTCBase
import RTCSCTP
import RTCTestKit
import Testing

@testable import RTCCore

/// All combinations of two peers behind translators: whether they connect, and over which kind of path.
@Suite("Peers behind NATs", .serialized)
struct NATMatrixTests {
    /// How two peers are connected.
    enum Path: String {
        case direct
        case reflexive
        case relayed
    }

    /// One kind of place on the network.
    struct Place: CustomTestStringConvertible {
        let name: String
        let behavior: SimulatedNAT.Behavior
        var testDescription: String { self.name }

        static let all: [Place] = [
            Place(name: "open", behavior: .open),
            Place(name: "firewall", behavior: .firewall),
            Place(name: "endpoint-independent", behavior: .endpointIndependent),
            Place(name: "address-restricted", behavior: .addressRestricted),
            Place(name: "port-restricted", behavior: .portRestricted),
            Place(name: "symmetric", behavior: .symmetric),
            Place(name: "no UDP", behavior: .withoutUDP),
        ]

        /// Whether a peer whose port nobody can foretell gets in here.
        var admitsUnknownPorts: Bool { self.behavior.filtering != .addressAndPort }
        var isSymmetric: Bool { self.behavior.mapping == .addressAndPort }
    }

    /// Seeds for each combination; NAT_SEEDS names another number.
    static let seeds = ProcessInfo.processInfo.environment["NAT_SEEDS"].flatMap(UInt64.init) ?? 6

    /// The best path that there is.
    private static func expected(_ left: Place, _ right: Place) -> Path {
        guard left.behavior.passesUDP, right.behavior.passesUDP else { return .relayed }
        if left.isSymmetric, !right.admitsUnknownPorts { return .relayed }
        if right.isSymmetric, !left.admitsUnknownPorts { return .relayed }
        return left.behavior.mapping == nil && right.behavior.mapping == nil ? .direct : .reflexive
    }

    private static func makePair(
        _ left: Place,
        _ right: Place,
        seed: UInt64,
        urls: [String],
        certificate: RTCCertificate
    ) throws -> PeerPair {
        var random = RandomSource.seeded(seed)
        var link = SimulatedNetwork.Link()
        link.delay = .milliseconds(Int64.random(in: 2...60, using: &random))
        link.jitter = .milliseconds(Int64.random(in: 0...2, using: &random))
        let configuration = RTCConfiguration(
            iceServers: urls.isEmpty
                ? []
                : [
                    RTCIceServer(
                        urls: urls,
                        username: SimulatedTURNServer.username,
                        credential: SimulatedTURNServer.password
                    )
                ],
            certificates: [certificate]
        )
        func address(_ place: Place, inner: UInt32, outer: UInt32) -> TransportAddress {
            TransportAddress(ipv4: place.behavior.mapping == nil ? outer : inner, port: 5_000)
        }
        let pair = try PeerPair(
            seed: seed,
            link: link,
            leftConfiguration: configuration,
            rightConfiguration: configuration,
            leftAddress: address(left, inner: 0xC0A8_0102, outer: 0xC633_6401),
            rightAddress: address(right, inner: 0x0A00_0002, outer: 0xC633_6402)
        )
        let server = SimulatedTURNServer(at: TransportAddress(ipv4: 0xCB00_7101, port: 3478), seed: seed, now: pair.now)
        pair.place(left: left.behavior, right: right.behavior, server: server, seed: seed)
        return pair
    }

    private static func isConnected(_ pair: PeerPair) -> Bool {
        [pair.left, pair.right].allSatisfy {
            $0.session.iceConnectionState == .connected || $0.session.iceConnectionState == .completed
        }
    }

    private static func path(_ pair: PeerPair) -> Path? {
        guard let selected = pair.left.session.selectedCandidatePair else { return nil }
        let types = [selected.local.type, selected.remote.type]
        if types.contains(.relay) { return .relayed }
        return types.allSatisfy { $0 == .host } ? .direct : .reflexive
    }

    @Test("They connect over the best path there is", arguments: Place.all, Place.all)
    func connects(left: Place, right: Place) throws {
        let certificate = try RTCCertificate.generate()
        let urls = ["stun:203.0.113.1", "turn:203.0.113.1", "turn:203.0.113.1?transport=tcp"]
        for seed in 0..<Self.seeds {
            let pair = try Self.makePair(left, right, seed: seed, urls: urls, certificate: certificate)
            _ = try pair.left.session.createDataChannel("data", now: pair.now)
            try pair.negotiate()
            let connected = pair.run(for: .seconds(20)) { Self.isConnected(pair) }
            #expect(connected, "seed \(seed): \(pair.left.session.diagnose())")
            // A nomination may be under way still.
            _ = pair.run(for: .seconds(2))
            #expect(Self.path(pair) == Self.expected(left, right), "seed \(seed): \(pair.left.session.diagnose())")
        }
    }

    @Test("Without a relay they say why they do not connect", arguments: Place.all, Place.all)
    func failsWithReason(left: Place, right: Place) throws {
        guard Self.expected(left, right) == .relayed else { return }
        let cause = try Self.cause(left, right, urls: ["stun:203.0.113.1"])
        if left.behavior.passesUDP {
            #expect(cause == .blockedWithoutRelay || cause == .oneWay)
        } else {
            #expect(cause == .udpBlocked)
        }
    }

    @Test("Without any server they say that private networks do not meet")
    func failsForLackOfServers() throws {
        let place = try #require(Place.all.first { $0.name == "port-restricted" })
        let cause = try Self.cause(place, place, urls: [])
        #expect(cause == .privateNetworksOnly(local: ["192.168.1.0/24"], remote: ["10.0.0.0/16"]))
    }

    /// Fails to connect, and gives what the left peer holds for the cause.
    private static func cause(_ left: Place, _ right: Place, urls: [String]) throws -> RTCConnectionProblem {
        let certificate = try RTCCertificate.generate()
        let pair = try Self.makePair(left, right, seed: 1, urls: urls, certificate: certificate)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        let failed = pair.run(for: .seconds(120)) { pair.left.session.connectionState == .failed }
        #expect(failed)
        let problems = pair.left.events.compactMap { event -> [RTCConnectionProblem]? in
            if case .connectionFailed(let problems) = event { return problems }
            return nil
        }
        return try #require(problems.first?.first, "\(pair.left.session.diagnose())")
    }
}

extension PeerSession {
    /// A channel with defaults, so that there is something to negotiate.
    func createDataChannel(_ label: String, now: NIODeadline) throws -> DataChannelHandle {
        try self.createDataChannel(DataChannelParameters(label: label), id: nil, now: now).0
    }
}
