internal import Logging
internal import NIOCore
internal import RTCBase
internal import RTCSockets
internal import RTCTURN

extension TURNShard {
    /// Binds a relay for the core.
    func openRelay(_ request: TURNRelayRequest, now: NIODeadline) {
        guard let addresses = self.setting.configuration.relays[request.family] else {
            return self.core.relayFailed(request.id, .addressFamilyNotSupported, now: now)
        }
        guard request.transport == .udp else { return self.openTCPRelay(request, addresses) }
        guard let socket = self.socket(for: request, addresses.address) else {
            return self.core.relayFailed(request.id, now: now)
        }
        guard (try? self.poller.add(socket, tag: Self.tag(of: request.id))) != nil else {
            socket.close()
            return self.core.relayFailed(request.id, now: now)
        }
        while self.relays.count <= request.id.slot { self.relays.append(nil) }
        self.relays[request.id.slot] = Relay(id: request.id, socket: socket)
        let own = self.setting.configuration.relays[socket.address.family] ?? addresses
        let announced = own.announced.withPort(socket.address.port)
        self.core.relayOpened(request.id, at: announced, now: now)
    }

    func closeRelay(_ id: TURNRelayID) {
        if let channel = self.tcpRelays.removeValue(forKey: id) { return channel.close(promise: nil) }
        guard id.slot < self.relays.count, let relay = self.relays[id.slot], relay.id == id else { return }
        if self.sendingRelay?.descriptor == relay.socket.descriptor { self.flushRelay() }
        self.relays[id.slot] = nil
        relay.socket.close()
    }

    private func socket(for request: TURNRelayRequest, _ address: TransportAddress) -> DatagramSocket? {
        switch request.port {
        case .any: return self.bind(address) { _ in true }
        case .even: return self.bind(address) { $0 % 2 == 0 }
        case .reserved(let token): return self.setting.reservedPorts.take(token)
        case .evenReservingNext(let token): return self.bindPair(address, token)
        }
    }

    private func bind(_ address: TransportAddress, where fits: (UInt16) -> Bool) -> DatagramSocket? {
        for port in self.candidates() where fits(port) {
            do {
                return try DatagramSocket(boundTo: address.withPort(port), for: .relay)
            } catch let error as SocketError where error.isInUse {
                continue
            } catch {
                self.setting.logger.warning("A relay could not be bound", metadata: ["error": "\(error)"])
                return nil
            }
        }
        return nil
    }

    private func bindPair(_ address: TransportAddress, _ token: UInt64) -> DatagramSocket? {
        let ports = self.setting.configuration.relayPorts
        for port in self.candidates() where port % 2 == 0 && port < ports.upperBound {
            guard let first = try? DatagramSocket(boundTo: address.withPort(port), for: .relay) else { continue }
            if let next = try? DatagramSocket(boundTo: address.withPort(port + 1), for: .relay) {
                self.setting.reservedPorts.put(next, under: token)
                return first
            }
            first.close()
        }
        return nil
    }

    /// Ports to try: the range from a random place on, so that nobody can guess a relay's port (RFC 6056).
    private func candidates() -> some Sequence<UInt16> {
        let ports = self.setting.configuration.relayPorts
        let count = UInt64(ports.count)
        let attempts = min(count, Self.portAttempts)
        let start = self.random.next() % count
        // A step that has no divisor in common with the size meets every port once; neighbours are of other clients.
        var step = self.random.next() % count | 1
        while Self.greatestCommonDivisor(step, count) != 1 { step = step + 2 < count ? step + 2 : 1 }
        return (0..<attempts).lazy.map { UInt16(UInt64(ports.lowerBound) + (start + $0 * step) % count) }
    }

    private static let portAttempts: UInt64 = 1_024

    private static func greatestCommonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
