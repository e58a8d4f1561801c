import NIOCore
import RTCBase
import RTCSTUN
import RTCSockets
import RTCTURN

/// One allocation with one channel, on a socket of its own.
struct RelayClient {
    let socket: DatagramSocket

    static let channel: UInt16 = 0x4000

    /// Allocates and binds the channel to `peer`, waiting for each answer.
    init(_ server: TransportAddress, peer: TransportAddress, _ exchange: RelayExchange) throws {
        self.socket = try DatagramSocket(boundTo: TransportAddress(ipv4: 0x7F00_0001, port: 0), for: .relay)
        var nonce = ""
        var answer = try exchange.ask(self.socket, server) { builder in
            builder.appendRequestedTransport(.udp)
        }
        nonce = answer.nonce
        guard
            let credential = STUNLongTermCredential(
                username: RelayServer.user,
                realm: answer.realm,
                password: RelayServer.password
            )
        else { throw BenchFailure("the server's realm is unsuitable") }
        let key = credential.integrityKey(.md5)
        func authenticate(_ builder: inout STUNMessageBuilder) {
            builder.append(.username, text: credential.username)
            builder.append(.realm, text: credential.realm)
            builder.append(.nonce, text: nonce)
            builder.appendIntegrity(key)
        }
        answer = try exchange.ask(self.socket, server) { builder in
            builder.appendRequestedTransport(.udp)
            authenticate(&builder)
        }
        guard answer.isSuccess else { throw BenchFailure("no allocation: \(answer.errorCode)") }
        answer = try exchange.ask(self.socket, server, .channelBind) { builder in
            if let channel = TURNChannelNumber(rawValue: Self.channel) { builder.appendChannelNumber(channel) }
            builder.append(.xorPeerAddress, address: peer)
            authenticate(&builder)
        }
        guard answer.isSuccess else { throw BenchFailure("no channel: \(answer.errorCode)") }
    }
}

/// Requests and their answers, one at a time.
final class RelayExchange {
    struct Answer {
        var isSuccess = false
        var errorCode = 0
        var realm = ""
        var nonce = ""
    }

    private let arena: DatagramArena
    private let sender: DatagramSender
    private var random = RandomSource.system

    init() throws {
        self.arena = try DatagramArena(slots: 4)
        self.sender = try DatagramSender(capacity: 4)
    }

    func ask(
        _ socket: DatagramSocket,
        _ server: TransportAddress,
        _ method: STUNMethod = .allocate,
        _ build: (inout STUNMessageBuilder) -> Void
    ) throws -> Answer {
        let id = STUNTransactionID.random(using: &self.random)
        var builder = STUNMessageBuilder(.request, method, id)
        build(&builder)
        let request = builder.finish()
        let poller = try Poller()
        try poller.add(socket, tag: 0)
        for _ in 0..<20 {
            request.withUnsafeReadableBytes { bytes in
                _ = self.sender.add(to: server, body: bytes)
                _ = self.sender.flush(on: socket)
            }
            var answer: Answer?
            var isRefused = false
            poller.wait(milliseconds: 500) { event in
                // The server may not listen yet.
                isRefused = event.hasFailed
                socket.takeErrors(limit: 16) { _, _ in }
                answer = self.read(socket, id)
            }
            if let answer { return answer }
            if isRefused { poller.wait(milliseconds: 200) { _ in } }
        }
        throw BenchFailure("the server does not answer")
    }

    private func read(_ socket: DatagramSocket, _ id: STUNTransactionID) -> Answer? {
        for slot in 0..<self.arena.receive(on: socket, first: 0, limit: 4) {
            let bytes = self.arena.read(at: slot).bytes.bytes
            guard let message = STUNMessage(bytes), message.transactionID == id else { continue }
            return Answer(
                isSuccess: message.messageClass == .successResponse,
                errorCode: message.errorCode ?? 0,
                realm: message.realm(in: bytes) ?? "",
                nonce: message.nonce(in: bytes) ?? ""
            )
        }
        return nil
    }
}
