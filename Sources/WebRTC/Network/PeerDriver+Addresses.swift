import NIOCore
import RTCBase
import RTCCore
import RTCICE

extension PeerDriver {
    func gather(ufrag: String) {
        guard self.isAttached else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.network.hostAddresses { hosts in
            let driver = bound.value
            guard driver.isAttached else { return }
            driver.session.provideAddresses(for: ufrag, hosts: hosts, now: .now())
            driver.pump()
        }
    }

    /// Addresses that appeared.
    func addHosts(_ hosts: [ICEHostAddress]) {
        guard self.isAttached, !hosts.isEmpty else { return }
        for host in hosts { self.session.addHost(host, now: .now()) }
        self.networkChanged()
    }

    /// Addresses that are gone.
    func forgetHosts(_ bases: [TransportAddress]) {
        guard self.isAttached, !bases.isEmpty else { return }
        for base in bases {
            self.session.removeHost(base: base, now: .now())
            let active = base.withPort(ICECandidate.activePort).over(.tcp)
            if base.transport == .udp { self.session.removeHost(base: active, now: .now()) }
        }
        if self.route.map({ bases.contains($0.base) }) == true { self.route = nil }
        self.networkChanged()
    }

    private func networkChanged() {
        if self.network.addressPolicy.networkChanges == .restart { try? self.session.restartICE() }
        self.pump()
    }

    /// A check of a path could not be sent.
    func sendFailed(_ failure: ICESendFailure, _ path: Path) {
        guard self.isAttached else { return }
        self.session.sendFailed(failure, remote: path.remote, base: path.base, now: .now())
        self.pump()
    }

    /// The socket of an address is in trouble.
    func checkPath(base: TransportAddress) {
        guard self.isAttached else { return }
        self.session.checkPath(base: base, now: .now())
        // This may be said in the middle of a pump.
        self.needsPump()
    }

    func resolve(_ lookup: ServerLookup) {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.resolver.lookUp(lookup.host, port: lookup.port) { addresses in
            let driver = bound.value
            let reachable = driver.network.addressPolicy.reachable(addresses)
            driver.session.provideServer(lookup, addresses: reachable, now: .now())
            driver.pump()
        }
    }

    func resolve(_ hostname: String) {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.resolver.multicast(hostname) { addresses in
            bound.value.session.provideResolution(of: hostname, addresses: addresses, now: .now())
            bound.value.pump()
        }
    }

    func update(_ configuration: RTCConfiguration) { self.configuration = configuration }
}
