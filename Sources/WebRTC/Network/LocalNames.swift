import NIOCore
import NIOPosix
import RTCBase
import RTCICE
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The `.local` names that stand for addresses of one connection or endpoint (draft-ietf-mmusic-mdns-ice-candidates section 3.1.1).
struct LocalNames {
    private static let all = Mutex<[String: TransportAddress]>([:])
    private var names: [TransportAddress: String] = [:]

    /// Gives hosts names in place of their addresses, if that is wanted, and answers for them from here on.
    mutating func hide(_ hosts: [ICEHostAddress], if isWanted: Bool) -> [ICEHostAddress] {
        guard isWanted else { return hosts }
        return hosts.map { host in
            var host = host
            let ip = host.base.withPort(0).over(.udp)
            // What was announced on purpose is not hidden.
            guard host.announced == [host.base], !ip.isLoopback || hosts.count == 1 else { return host }
            host.hostname = self.names[ip] ?? self.makeName(for: ip)
            return host
        }
    }

    private mutating func makeName(for ip: TransportAddress) -> String {
        var random = SystemRandomNumberGenerator()
        let digits = (0..<32).map { position -> Character in
            // A version 4 UUID (RFC 9562 section 5.4).
            let nibble = position == 12 ? 4 : position == 16 ? 8 | Int(random.next() % 4) : Int(random.next() % 16)
            return Array("0123456789abcdef")[nibble]
        }
        let parts = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
        let name = parts.map { String($0) }.joined(separator: "-") + ".local"
        self.names[ip] = name
        Self.all.withLock { $0[name] = ip }
        MulticastResponder.shared.start()
        return name
    }

    /// Answers for the names no longer.
    mutating func forget() {
        let names = self.names.values
        Self.all.withLock { all in
            for name in names { all[name] = nil }
        }
        self.names = [:]
    }

    /// Whether somebody who asks is on a network of this host. Others learn no address: a query sent to a public address is not a
    /// local one (RFC 6762 sections 5.5 and 11).
    static func isOnLink(_ source: SocketAddress) -> Bool {
        guard let asker = TransportAddress(source), asker.family == .ipv4 else { return false }
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.contains { device in
            guard let own = device.address.flatMap({ TransportAddress($0) }), own.family == .ipv4,
                let mask = device.netmask.flatMap({ TransportAddress($0) })?.ipLow, mask != 0
            else { return false }
            return own.ipLow & mask == asker.ipLow & mask
        }
    }

    /// What a name of this process stands for.
    static func address(of name: String) -> TransportAddress? {
        Self.all.withLock { $0[name.lowercased()] }
    }
}

/// Answers multicast DNS queries for this process's names (RFC 6762 section 6). There from the first name on.
final class MulticastResponder: Sendable {
    static let shared = MulticastResponder()
    private let isStarted = Atomic(false)

    /// Where the port is taken by a responder that shares it with nobody, names stay unknown: that is as good as no candidate.
    func start() {
        guard self.isStarted.exchange(true, ordering: .relaxed) == false else { return }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let group = MDNSMessage.ipv4Group.socketAddress
        DatagramBootstrap(group: loop)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(MulticastQueryHandler())
                }
            }
            .bind(host: "0.0.0.0", port: Int(MDNSMessage.ipv4Group.port))
            .whenSuccess { channel in
                guard let multicast = channel as? any MulticastChannel else { return }
                let devices = (try? System.enumerateDevices()) ?? []
                for device in devices where device.multicastSupported && device.address?.protocol == .inet {
                    multicast.joinGroup(group, device: device, promise: nil)
                }
            }
    }
}

private final class MulticastQueryHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        let questions = MDNSMessage.questions(in: envelope.data.readableBytesSpan)
        guard !questions.isEmpty else { return }
        let port = envelope.remoteAddress.port ?? 0
        // A resolver on another port is a simple one, which wants its own ID back (RFC 6762 section 6.7).
        let isSimple = port != Int(MDNSMessage.ipv4Group.port)
        let id = isSimple ? envelope.data.getInteger(at: envelope.data.readerIndex, as: UInt16.self) ?? 0 : nil
        var answered: Set<String> = []
        for question in questions where answered.insert(question.name).inserted {
            guard let address = LocalNames.address(of: question.name),
                LocalNames.isOnLink(envelope.remoteAddress),
                let response = MDNSMessage.response(name: question.name, address: address, simpleID: id)
            else { continue }
            let target =
                isSimple || question.wantsUnicast
                ? envelope.remoteAddress : MDNSMessage.ipv4Group.socketAddress
            let answer = AddressedEnvelope(remoteAddress: target, data: response)
            context.writeAndFlush(self.wrapOutboundOut(answer), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
