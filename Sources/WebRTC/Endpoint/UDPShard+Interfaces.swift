import NIOCore
import RTCBase

extension UDPShard {
    /// Binds addresses that appear to the endpoint's port, and lets go of those that vanish.
    func watchInterfaces(port: UInt16, isOnePortOfMany: Bool) {
        guard self.addressPolicy.networkChanges != .ignore, !self.isClosed else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.monitor = InterfaceMonitor.shared.subscribe {
            bound.eventLoop.execute { bound.value.interfacesChanged(port: port, isOnePortOfMany) }
        }
    }

    private func interfacesChanged(port: UInt16, _ isOnePortOfMany: Bool) {
        guard !self.isClosed else { return }
        let wanted = self.addressPolicy.localAddresses()
        let gone = self.socketList.filter { !self.addressPolicy.keeps($0.address, wanted: wanted) }
        let known = self.socketList.map { $0.address.withPort(0) }
        self.socketList.removeAll { socket in gone.contains { $0 === socket } }
        for socket in gone {
            self.sockets[socket.address] = nil
            socket.close()
        }
        let ended = self.listeners.filter { !self.addressPolicy.keeps($0.address, wanted: wanted) }
        self.listeners.removeAll { listener in ended.contains { $0 === listener } }
        for listener in ended { listener.close() }
        let bases = gone.map(\.address) + ended.map(\.address)
        for driver in Array(self.connections.values) { driver.forgetHosts(bases) }
        for address in wanted where !known.contains(address) {
            self.bind(address.withPort(port), isOnePortOfMany)
        }
    }

    /// An address that cannot be bound after all is left out.
    private func bind(_ address: TransportAddress, _ isOnePortOfMany: Bool) {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        UDPSocket.bind(
            to: address,
            on: self.eventLoop,
            use: .manyPeers(isOnePortOfMany: isOnePortOfMany),
            owner: self
        ).whenSuccess { socket in bound.value.appeared(socket.value) }
        guard self.addressPolicy.tcp.contains(.passive) else { return }
        TCPListener.bind(to: address, on: self.eventLoop, isOnePortOfMany: isOnePortOfMany, owner: self)
            .whenSuccess { listener in bound.value.appeared(listener.value) }
    }

    private func appeared(_ socket: UDPSocket) {
        guard !self.isClosed, self.sockets[socket.address] == nil else { return socket.close() }
        self.add(socket)
        self.offer(udp: [socket.address], tcp: [])
    }

    private func appeared(_ listener: TCPListener) {
        guard !self.isClosed else { return listener.close() }
        self.add(listener)
        self.offer(udp: [], tcp: [listener.address])
    }

    private func offer(udp: [TransportAddress], tcp: [TransportAddress]) {
        let hosts = self.names.hide(
            self.addressPolicy.hostAddresses(udp: udp, tcp: tcp),
            if: self.addressPolicy.hidesAddresses
        )
        for driver in Array(self.connections.values) { driver.addHosts(hosts) }
    }
}
