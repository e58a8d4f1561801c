import FuzzInput
import NIOCore
import RTCBase
import RTCSTUN

@testable import RTCTURN

/// A client with small limits, and a server that is the fuzzer.
final class ClientBench {
    private let client: TURNClient
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var decoder = TURNStreamDecoder()
    /// What the client asked and may still wait for: the newest.
    private var asked: [(id: STUNTransactionID, method: STUNMethod)] = []
    /// What the owner and the server did, each of which is worth a bounded number of datagrams.
    private var causes = 1
    private var sent = 0
    private var hasEnded = false

    init(flags: UInt8) {
        var configuration = TURNClientConfiguration(username: "user", password: "password", isReliable: flags & 1 == 0)
        configuration.families = [.both, .ipv4, .ipv6][Int(flags >> 1 & 3) % 3]
        configuration.maximumPermissions = 6
        configuration.maximumChannels = 3
        configuration.maximumWaiting = 4
        self.client = TURNClient(configuration: configuration, random: .seeded(1))
    }

    func run(_ input: inout FuzzInput) {
        self.client.start(now: self.now)
        self.drain()
        for _ in 0..<128 where !input.isEmpty {
            self.causes += 1
            self.step(&input)
            self.drain()
            self.check()
        }
        self.client.close(now: self.now)
        self.drain()
        require(self.client.nextTimeout == nil && self.client.allocation == nil, "not over")
        require(self.client.requests.isEmpty && self.client.waiting.isEmpty, "something is kept")
    }

    private func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        switch kind & 15 {
        case 0, 1, 2, 3, 4: self.answer(&input, kind)
        case 5: self.receive(input.run())
        case 6: self.indicate(&input, kind)
        case 7: self.sendChannelData(input.run(), kind)
        case 8: self.client.permit(Self.peer(input.byte()), now: self.now)
        case 9: self.client.bindChannel(to: Self.peer(input.byte()), now: self.now)
        case 10:
            let datagram = ByteBuffer(bytes: input.run().prefix(64))
            self.client.send(DatagramBatch(datagram), to: Self.peer(kind >> 4), now: self.now)
        case 11: self.wait(.seconds(Int64(input.byte()) * 4))
        case 12: self.wait(.milliseconds(Int64(input.uint16())))
        case 13: self.client.verify(now: self.now)
        case 14: self.client.update(username: "user", password: kind & 16 == 0 ? "password" : "other", now: self.now)
        default: if kind == 0xFF { self.client.connectionRefused("refused", now: self.now) }
        }
    }

    /// Peers of a few addresses, most of IPv4.
    private static func peer(_ number: UInt8) -> TransportAddress {
        guard number & 0xE0 != 0xE0 else { return TransportAddress(ipv6High: 1, low: UInt64(number), port: 9) }
        return TransportAddress(ipv4: 0x0808_0800 | UInt32(number & 15), port: 7_000 + UInt16(number >> 4))
    }

    // MARK: The server

    /// Answers something that was asked.
    private func answer(_ input: inout FuzzInput, _ kind: UInt8) {
        guard !self.asked.isEmpty else { return }
        let choice = input.byte()
        // Mostly the newest.
        let (id, method) = self.asked[max(0, self.asked.count - 1 - Int(choice & 3))]
        let isSuccess = kind & 16 == 0
        var builder = STUNMessageBuilder(isSuccess ? .successResponse : .errorResponse, method, id)
        if !isSuccess { self.appendError(&builder, input.byte()) }
        if isSuccess, kind & 32 == 0 { self.appendSound(&builder, method) }
        for _ in 0..<Int(choice >> 2 & 3) {
            let type = Self.types[Int(input.byte()) % Self.types.count]
            builder.append(type, bytes: input.run().prefix(256))
        }
        switch kind >> 6 {
        case 0, 1:
            guard let key = self.client.authentication.key else { break }
            builder.appendIntegrity(key, sha256: kind & 64 == 0)
        case 2: builder.appendIntegrity(STUNIntegrityKey(shortTermPassword: "other"))
        default: break
        }
        self.receive(Array(builder.finish().readableBytesView))
    }

    private func appendError(_ builder: inout STUNMessageBuilder, _ choice: UInt8) {
        let codes = [401, 401, 438, 437, 441, 300, 400, 420, 440, 486, 500, 508, 403, 699]
        let code = codes[Int(choice & 15) % codes.count]
        builder.append(.errorCode, bytes: [0, 0, UInt8(code / 100), UInt8(code % 100)] + Array("no".utf8))
        if choice & 16 == 0 {
            builder.append(.realm, text: choice & 64 == 0 ? "realm" : "another")
            builder.append(.nonce, text: choice & 128 == 0 ? "nonce" : "obMatJos2gAAAnonce")
        }
        if choice & 32 != 0 {
            builder.append(.alternateServer, address: TransportAddress(ipv4: 0x0101_0101, port: 3_478))
            builder.appendPasswordAlgorithms([.sha256, .md5])
        }
    }

    /// What an honest server says.
    private func appendSound(_ builder: inout STUNMessageBuilder, _ method: STUNMethod) {
        if method == .allocate {
            builder.append(.xorRelayedAddress, address: TransportAddress(ipv4: 0x0202_0202, port: 50_000))
            builder.append(.xorMappedAddress, address: TransportAddress(ipv4: 0x0303_0303, port: 4_000))
        }
        if method == .allocate || method == .refresh { builder.appendLifetime(600) }
    }

    private func indicate(_ input: inout FuzzInput, _ kind: UInt8) {
        var builder = STUNMessageBuilder(.indication, .data, STUNTransactionID(high: 1, low: UInt32(kind)))
        builder.append(.xorPeerAddress, address: Self.peer(input.byte()))
        builder.append(.data, bytes: input.run().prefix(256))
        self.receive(Array(builder.finish().readableBytesView))
    }

    private func sendChannelData(_ data: [UInt8], _ kind: UInt8) {
        let number: UInt16 = 0x4000 + UInt16(kind >> 4)
        let count = UInt16(data.count) &+ (kind == 0xF7 ? 1 : 0)
        self.receive([UInt8(number >> 8), UInt8(number & 255), UInt8(count >> 8), UInt8(count & 255)] + data)
    }

    /// A datagram of the server; over a stream it goes through the decoder in two pieces.
    private func receive(_ bytes: [UInt8]) {
        guard self.client.configuration.isReliable else { return self.take(bytes) }
        for piece in [bytes.prefix(bytes.count / 2), bytes.suffix(from: bytes.count / 2)] {
            self.decoder.append(ByteBuffer(bytes: piece))
            self.decode()
        }
    }

    private func decode() {
        while true {
            switch self.decoder.next() {
            case .stun(let message), .channelData(let message): self.take(Array(message.readableBytesView))
            case .incomplete: return
            case .broken:
                // The owner closes such a connection.
                self.client.connectionClosed("broken")
                return
            }
        }
    }

    private func take(_ bytes: [UInt8]) {
        guard case .data(let range, let peer, let relayed) = self.client.receive(bytes.span.bytes, now: self.now) else {
            return
        }
        require(range.lowerBound >= 4 && range.upperBound <= bytes.count, "data beyond its datagram")
        require(self.client.allocation?.relayed.contains(relayed) == true, "data for an address that is not ours")
        let isPermitted = self.client.permissions[peer.withPort(0)] != nil || self.client.channels[peer] != nil
        require(isPermitted, "data of somebody who may not send")
    }

    // MARK: The client

    private func wait(_ time: TimeAmount) {
        let end = self.now + time
        var rounds = 0
        while let next = self.client.nextTimeout, next <= end {
            rounds += 1
            self.now = max(self.now, next)
            self.causes += 1
            self.client.handleTimeout(now: self.now)
            self.drain()
            if let next = self.client.nextTimeout { require(next > self.now, "a deadline stays") }
        }
        // Nothing is asked more often than a lifetime of a second has to be prolonged: twice, with permissions and channels beside.
        require(rounds <= 64 + 8 * Int(time.nanoseconds / 1_000_000_000), "\(rounds) rounds in \(time)")
        self.now = end
    }

    private func drain() {
        while let output = self.client.poll() {
            switch output {
            case .transmit(let batch):
                self.sent += batch.count
                self.note(batch)
            case .event(let event):
                require(!self.hasEnded, "\(event) after the end")
                switch event {
                case .refused, .lost, .redirected: self.hasEnded = true
                case .allocated, .refreshRefused, .peerRefused: break
                }
            }
        }
        // A refusal of several peers is followed by a request for each; all are renewed together when an allocation is verified.
        require(self.sent <= 12 * self.causes, "\(self.sent) datagrams for \(self.causes) causes")
    }

    private func note(_ batch: DatagramBatch) {
        let bytes = Array(batch.bytes.readableBytesView)
        guard let message = STUNMessage(bytes.span.bytes), message.messageClass == .request else { return }
        self.asked.append((message.transactionID, message.method))
        if self.asked.count > 8 { self.asked.removeFirst() }
    }

    private func check() {
        let limits = self.client.configuration
        // A channel brings a permission with it.
        require(
            self.client.permissions.count <= limits.maximumPermissions + limits.maximumChannels,
            "more permissions than may be"
        )
        require(self.client.channels.count <= limits.maximumChannels, "more channels than may be")
        require(self.client.peersByChannel.count <= self.client.channels.count, "channels of nobody")
        require(self.client.waiting.count <= limits.maximumWaiting, "more waits than may")
        // One for each permission and channel, the allocation's, and one for each change of credentials.
        require(self.client.requests.count <= 16 + self.causes / 4, "\(self.client.requests.count) requests at once")
        if self.hasEnded { require(self.client.nextTimeout == nil, "something is due after the end") }
    }

    private static let types: [STUNAttributeType] = [
        .xorRelayedAddress, .xorMappedAddress, .xorPeerAddress, .lifetime, .realm, .nonce, .errorCode,
        .passwordAlgorithms,
        .alternateServer, .alternateDomain, .data, .channelNumber, .software, .addressErrorCode, .icmp,
        STUNAttributeType(rawValue: 0x7777),
    ]
}
