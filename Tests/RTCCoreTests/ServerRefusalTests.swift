import NIOCore
import RTCBase
import RTCDTLS
import RTCICE
import RTCSTUN
import RTCTURN
import Testing

@testable import RTCCore

/// Servers that send a client away: to another one (300), or for a while (486, 508).
@Suite("Servers that refuse an allocation")
struct ServerRefusalTests {
    private enum Answer {
        case relay(TransportAddress)
        case redirection(TransportAddress)
        case refusal(Int)
    }

    private static func server(_ number: Int) -> TransportAddress {
        TransportAddress(ipv4: 0xCB00_7100 + UInt32(number), port: 3478)
    }

    private static func number(of server: TransportAddress) -> Int { Int(server.ipLow & 0xFF) }

    /// A session whose servers, known by their numbers, answer as they are told to, and ask for no credentials.
    private final class Client {
        let session: PeerSession
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        /// When each server was asked, in their order.
        private(set) var asked: [(server: Int, at: NIODeadline)] = []
        private(set) var errors: [RTCIceCandidateError] = []
        private(set) var relayed = 0
        private let answer: (Int) -> Answer
        private var flows: [ServerFlowID: Int] = [:]

        init(urls: [String], answer: @escaping (Int) -> Answer) throws {
            self.answer = answer
            let certificate = try RTCCertificate.generate()
            self.session = PeerSession(
                configuration: RTCConfiguration(
                    iceServers: [RTCIceServer(urls: urls, username: "user", credential: "password")],
                    iceTransportPolicy: .relay
                ),
                environment: PeerSession.Environment(
                    certificate: certificate,
                    dtlsContext: try DTLSContext(certificate: certificate.dtls, configuration: DTLSConfiguration()),
                    random: .seeded(1),
                    wake: {}
                )
            )
            _ = try self.session.createDataChannel("data", now: self.now)
            try self.session.setLocalDescription(nil, now: self.now)
            self.drain()
        }

        private func drain() {
            while let output = self.session.poll(now: self.now) {
                switch output {
                case .gatherAddresses(let ufrag): self.session.provideAddresses(for: ufrag, hosts: [], now: self.now)
                case .openFlow(let id, let target):
                    let server = ServerRefusalTests.number(of: target.address)
                    self.flows[id] = server
                    self.asked.append((server, self.now))
                    self.session.flowOpened(id, local: nil, now: self.now)
                case .transmitFlow(let id, let batch): self.respond(to: batch.bytes, over: id)
                case .closeFlow(let id): self.flows[id] = nil
                case .event(.iceCandidateError(let error)): self.errors.append(error)
                case .event(.iceCandidate(let candidate?)) where candidate.type == .relay: self.relayed += 1
                default: break
                }
            }
        }

        private func respond(to request: ByteBuffer, over id: ServerFlowID) {
            guard let server = self.flows[id], let message = STUNMessage(request.readableBytesSpan),
                message.messageClass == .request
            else { return }
            let answer = self.answer(server)
            var isSuccess = false
            if case .relay = answer { isSuccess = true }
            var builder = STUNMessageBuilder(
                isSuccess ? .successResponse : .errorResponse,
                message.method,
                message.transactionID
            )
            switch answer {
            case .relay(let address):
                builder.append(.xorRelayedAddress, address: address)
            case .redirection(let other):
                builder.appendErrorCode(300, reason: "Try Alternate")
                builder.append(.alternateServer, address: other)
            case .refusal(let code):
                builder.appendErrorCode(code, reason: "Later")
            }
            self.session.receive(DatagramBatch(builder.finish()), over: id, now: self.now)
        }

        func run(for duration: TimeAmount) {
            let end = self.now + duration
            self.drain()
            while let due = self.session.nextTimeout, due <= end {
                self.now = max(self.now, due)
                self.session.handleTimeout(now: self.now)
                self.drain()
            }
            self.now = end
        }
    }

    @Test("Of servers that each send on to another five are asked, and then no more")
    func redirections() throws {
        let client = try Client(urls: ["turn:203.0.113.1"]) { .redirection(Self.server($0 + 1)) }
        client.run(for: .seconds(600))
        #expect(client.asked.map(\.server) == [1, 2, 3, 4, 5])
        #expect(client.errors.map(\.errorCode) == [300])
        #expect(client.session.iceGatheringState == .complete)
    }

    @Test("Two servers that send on to each other are asked once each")
    func circle() throws {
        let client = try Client(urls: ["turn:203.0.113.1"]) { .redirection(Self.server(3 - $0)) }
        client.run(for: .seconds(600))
        #expect(client.asked.map(\.server) == [1, 2])
        #expect(client.errors.map(\.errorCode) == [300])
    }

    @Test(
        "A server that is full is asked again a minute apart, eight times at most; another one is used at once",
        arguments: [486, 508]
    )
    func full(code: Int) throws {
        let client = try Client(urls: ["turn:203.0.113.1", "turn:203.0.113.2"]) { server in
            server == 1 ? .refusal(code) : .relay(TransportAddress(ipv4: 0xCB00_7102, port: 50_000))
        }
        client.run(for: .seconds(1))
        #expect(client.relayed == 1)
        #expect(client.session.iceGatheringState == .complete)
        client.run(for: .seconds(3_600))
        let times = client.asked.filter { $0.server == 1 }.map(\.at)
        #expect(times.count == 9)
        for (one, next) in zip(times, times.dropFirst()) { #expect(next - one >= .seconds(60)) }
        #expect(client.asked.count { $0.server == 2 } == 1)
    }
}
