internal import NIOCore
internal import RTCBase
internal import RTCTURN

/// The UDP sockets that clients send to: on each address one for each thread, between which the kernel divides the clients.
struct BoundListeners {
    /// By thread.
    var sockets: [[DatagramSocket]]
    var addresses: [TransportAddress] = []
    var otherAddresses: [TransportAddress: TransportAddress] = [:]

    static func bind(_ valid: ValidConfiguration) throws -> BoundListeners {
        var bound = BoundListeners(sockets: Array(repeating: [], count: valid.threads))
        do {
            for listener in valid.configuration.listeners where listener.transport == .udp {
                for address in try Self.addresses(of: listener) { try bound.add(address) }
            }
            if let alternate = valid.alternate, let primary = bound.addresses.first {
                try bound.add(alternate, beside: primary)
            }
        } catch let error as TURNServerStartError {
            bound.close()
            throw error
        }
        return bound
    }

    /// The addresses for TCP and TLS.
    static func streams(
        _ configuration: TURNServerConfiguration
    ) throws -> [(TURNServerConfiguration.Listener, TransportAddress)] {
        try configuration.listeners.filter(\.transport.isStream).flatMap { listener in
            try self.addresses(of: listener).map { (listener, $0) }
        }
    }

    @discardableResult
    private mutating func add(_ address: TransportAddress) throws -> TransportAddress {
        var address = address
        for thread in self.sockets.indices {
            do {
                let socket = try DatagramSocket(boundTo: address, for: .listener)
                self.sockets[thread].append(socket)
                address = socket.address
            } catch {
                throw TURNServerStartError(description: "\(address) could not be listened on over UDP: \(error)")
            }
        }
        self.addresses.append(address)
        return address
    }

    /// Listens on the three other combinations of two addresses and two ports (RFC 5780 section 6).
    private mutating func add(_ alternate: TransportAddress, beside primary: TransportAddress) throws {
        let other = try self.add(alternate)
        try self.add(primary.withPort(other.port))
        try self.add(other.withPort(primary.port))
        for (ip, otherIP) in [(primary, other), (other, primary)] {
            for (port, otherPort) in [(primary.port, other.port), (other.port, primary.port)] {
                self.otherAddresses[ip.withPort(port)] = otherIP.withPort(otherPort)
            }
        }
    }

    /// A socket on all addresses could not say from which an answer is to leave, so each address gets one.
    private static func addresses(of listener: TURNServerConfiguration.Listener) throws -> [TransportAddress] {
        guard let address = TransportAddress(ip: listener.address, port: UInt16(clamping: listener.port)) else {
            throw TURNServerConfigurationError.notAnAddress(listener.address)
        }
        guard address.isUnspecified else { return [address] }
        let devices = (try? System.enumerateDevices()) ?? []
        var found: [TransportAddress] = []
        for device in devices {
            guard let local = device.address.flatMap({ TransportAddress($0) }), local.family == address.family,
                !local.isLinkLocal, !local.isMulticast, !found.contains(local.withPort(address.port))
            else { continue }
            found.append(local.withPort(address.port))
        }
        let usable = found.filter { !$0.isLoopback }
        return usable.isEmpty ? found : usable
    }

    func close() {
        for socket in self.sockets.joined() { socket.close() }
    }
}
