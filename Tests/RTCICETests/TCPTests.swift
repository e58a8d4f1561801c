import NIOCore
import RTCBase
import Testing

@testable import RTCICE

@Suite("ICE over TCP") struct TCPTests {
    private let passiveBase = address("192.0.2.2", 2_000).over(.tcp)
    private let activeBase = address("192.0.2.1", ICECandidate.activePort).over(.tcp)

    private func agent(_ role: ICERole, _ hosts: [ICEHostAddress], seed: UInt64, now: NIODeadline) -> ICEAgent {
        var random = RandomSource.seeded(seed)
        let credentials = ICECredentials.random(using: &random)
        let agent = ICEAgent(role: role, localCredentials: credentials, random: random)
        agent.gather(hosts: hosts, now: now)
        return agent
    }

    @Test("A TCP candidate keeps its role and protocol in SDP")
    func description() throws {
        let line = "candidate:1 1 tcp 1518149375 192.0.2.1 9 typ host tcptype active"
        let candidate = try #require(ICECandidate(parsing: line))
        #expect(candidate.transportAddress?.transport == .tcp)
        #expect(candidate.tcpType == .active)
        #expect(candidate.sdpAttributeValue == line)
    }

    @Test("Priorities rank UDP before TCP, and active before passive before simultaneous-open")
    func priorities() {
        let udp = ICECandidate.priority(type: .serverReflexive, localPreference: 0)
        let order = [ICECandidate.TCPType.active, .passive, .simultaneousOpen].map {
            ICECandidate.priority(type: .host, tcpType: $0, localPreference: 65_535)
        }
        #expect(order == order.sorted(by: >))
        #expect(udp > order[0])
        // 2^24 * 90 + 2^8 * (2^13 * 6 + 8191) + 255
        #expect(order[0] == 90 << 24 | (6 << 13 | 8_191) << 8 | 255)
    }

    @Test("The active side checks, the passive side answers over the connection that it got")
    func connects() {
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let active = self.agent(
            .controlling,
            [ICEHostAddress(base: self.activeBase, tcpType: .active)],
            seed: 1,
            now: now
        )
        let passive = self.agent(
            .controlled,
            [ICEHostAddress(base: self.passiveBase, tcpType: .passive)],
            seed: 2,
            now: now
        )
        let ephemeral = address("192.0.2.1", 50_000).over(.tcp)
        for (one, other) in [(active, passive), (passive, active)] {
            one.setRemote(credentials: other.localCredentials, now: now)
            for candidate in other.localCandidates { one.addRemoteCandidate(candidate, now: now) }
        }
        self.exchange(active, passive, over: ephemeral, now: &now)
        #expect(active.selectedPath == ICEPath(base: self.activeBase, remote: self.passiveBase))
        #expect(passive.selectedPath == ICEPath(base: self.passiveBase, remote: ephemeral))
        // A connection that ends leaves the passive side without that peer's address.
        passive.pathClosed(remote: ephemeral, base: self.passiveBase, now: now)
        #expect(passive.state == .disconnected)
        active.pathClosed(remote: self.passiveBase, base: self.activeBase, now: now)
        #expect(active.state == .disconnected)
        // However often it comes back, it finds room.
        var latest = ephemeral
        for port in UInt16(50_001)...50_040 {
            passive.pathClosed(remote: latest, base: self.passiveBase, now: now)
            active.pathClosed(remote: self.passiveBase, base: self.activeBase, now: now)
            latest = address("192.0.2.1", port).over(.tcp)
            self.exchange(active, passive, over: latest, now: &now)
        }
        #expect(passive.selectedPath?.remote == latest)
        #expect(passive.remoteCandidates.count <= 3)
    }

    /// Lets both talk for two seconds over a connection that the passive one sees come from `ephemeral`.
    private func exchange(
        _ active: ICEAgent,
        _ passive: ICEAgent,
        over ephemeral: TransportAddress,
        now: inout NIODeadline
    ) {
        for _ in 0..<200 {
            while let output = active.poll() {
                guard case .transmit(let bytes, let from, let to, _) = output else { continue }
                #expect(from == self.activeBase && to == self.passiveBase)
                passive.receive(bytes.readableBytesSpan, from: ephemeral, to: self.passiveBase, now: now)
            }
            while let output = passive.poll() {
                // A connection that has ended carries nothing.
                guard case .transmit(let bytes, let from, let to, _) = output, to == ephemeral else { continue }
                #expect(from == self.passiveBase)
                active.receive(bytes.readableBytesSpan, from: self.passiveBase, to: self.activeBase, now: now)
            }
            now = now + .milliseconds(10)
            active.handleTimeout(now: now)
            passive.handleTimeout(now: now)
        }
    }

    @Test("A connection that cannot be made fails its pair at once, with the reason")
    func refused() throws {
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let active = self.agent(
            .controlling,
            [ICEHostAddress(base: self.activeBase, tcpType: .active)],
            seed: 3,
            now: now
        )
        active.setRemote(
            credentials: ICECredentials(ufrag: "peer", password: "peerpeerpeerpeerpeerpeer"),
            now: now
        )
        let line = "candidate:1 1 tcp 1518149375 192.0.2.2 2000 typ host tcptype passive"
        active.addRemoteCandidate(try #require(ICECandidate(parsing: line)), now: now)
        while active.poll() != nil {}
        active.pathClosed(remote: self.passiveBase, base: self.activeBase, now: now)
        #expect(active.statistics().map(\.failure) == [.connectionClosed])
        now = now + .seconds(31)
        active.handleTimeout(now: now)
        #expect(active.state == .failed)
    }

    @Test(
        "Roles that cannot meet make no pairs, and bad ports none either",
        arguments: [
            "candidate:1 1 tcp 1 192.0.2.2 9 typ host tcptype active",
            "candidate:1 1 tcp 1 192.0.2.2 25 typ host tcptype passive",
            "candidate:1 1 tcp 1 192.0.2.2 2000 typ host tcptype so",
            "candidate:1 1 udp 1 192.0.2.2 2000 typ host",
        ]
    )
    func unusable(line: String) throws {
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let active = self.agent(
            .controlling,
            [ICEHostAddress(base: self.activeBase, tcpType: .active)],
            seed: 4,
            now: now
        )
        active.setRemote(
            credentials: ICECredentials(ufrag: "peer", password: "peerpeerpeerpeerpeerpeer"),
            now: now
        )
        active.addRemoteCandidate(try #require(ICECandidate(parsing: line)), now: now)
        #expect(active.statistics().isEmpty)
    }
}
