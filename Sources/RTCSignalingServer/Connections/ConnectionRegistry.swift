import NIOCore

/// The connections of a server, in all and by where they come from; confined to the server's event loop.
final class ConnectionRegistry {
    private let maximum: Int
    private let maximumPerAddress: Int
    private var channels: [ObjectIdentifier: any Channel] = [:]
    private var byAddress: [String: Int] = [:]
    /// Called when the last connection is gone.
    var whenEmpty: (() -> Void)?

    init(_ configuration: SignalingServerConfiguration) {
        self.maximum = configuration.maximumConnections
        self.maximumPerAddress = configuration.maximumConnectionsPerAddress
    }

    var count: Int { self.channels.count }

    /// Notes a connection until it is closed.
    ///
    /// - Returns: Why there is no room for it; nil if there is.
    func add(_ channel: any Channel) -> ServerRefusal? {
        guard self.channels.count < self.maximum else { return .tooManyConnections }
        let address = channel.remoteAddress?.ipAddress
        if let address {
            guard self.byAddress[address, default: 0] < self.maximumPerAddress else {
                return .tooManyConnectionsFromAddress
            }
            self.byAddress[address, default: 0] += 1
        }
        let name = ObjectIdentifier(channel)
        self.channels[name] = channel
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.remove(name, address) }
        return nil
    }

    private func remove(_ name: ObjectIdentifier, _ address: String?) {
        self.channels[name] = nil
        if let address, let count = self.byAddress[address] {
            self.byAddress[address] = count > 1 ? count - 1 : nil
        }
        if self.channels.isEmpty { self.whenEmpty?() }
    }

    func closeAll() {
        for channel in self.channels.values { channel.close(promise: nil) }
    }
}
