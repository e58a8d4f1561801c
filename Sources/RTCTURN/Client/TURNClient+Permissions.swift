public import NIOCore
public import RTCBase
internal import RTCSTUN

extension TURNClient {
    /// Permissions last five minutes (RFC 8656 section 9); they are renewed before.
    private static let permissionRenewal = TimeAmount.seconds(240)
    private static let permissionRetry = TimeAmount.seconds(30)
    /// As many addresses as fit into one datagram with credentials, on any path.
    private static let addressesPerRequest = 20

    /// Lets an IP address send through the relay, now and as long as the allocation lives; its port does not matter. May
    /// be called before there is an allocation.
    public func permit(_ peer: TransportAddress, now: NIODeadline) {
        let ip = peer.withPort(0)
        guard self.phase != .ended, self.permissions[ip] == nil, self.serves(ip) else { return }
        guard self.permissions.count < self.configuration.maximumPermissions else { return }
        self.permissions[ip] = Permission()
        self.askForPermissions(now: now)
    }

    /// Whether the relay has an address of a peer's family, as far as is known.
    func serves(_ peer: TransportAddress) -> Bool {
        self.allocation?.relayed.contains { $0.family == peer.family } ?? true
    }

    /// Asks for the permissions that are due, several in one request.
    func askForPermissions(now: NIODeadline) {
        guard self.phase == .allocated else { return }
        let due = self.permissions.filter { entry in
            !entry.value.isAsked && (entry.value.refreshAt.map { $0 <= now } ?? !entry.value.isInstalled)
        }.keys.sorted { $0.description < $1.description }
        for start in stride(from: 0, to: due.count, by: Self.addressesPerRequest) {
            let part = Array(due[start..<min(start + Self.addressesPerRequest, due.count)])
            for peer in part { self.permissions[peer]?.isAsked = true }
            self.request(.permit(part), now: now)
        }
    }

    func permitted(_ peer: TransportAddress, now: NIODeadline) {
        self.permissions[peer.withPort(0)] = Permission(
            isInstalled: true,
            isAsked: false,
            refreshAt: now + Self.permissionRenewal
        )
    }

    func permissionFailed(_ peers: [TransportAddress], _ failure: TURNFailure, now: NIODeadline) {
        guard failure.code != TURNErrorCode.allocationMismatch.rawValue else { return self.lose(failure) }
        if peers.count > 1, failure.code != TURNFailure.unreachable {
            // One of them is refused, and the others with it (RFC 8656 section 10.2).
            for peer in peers {
                self.permissions[peer]?.isAsked = true
                self.request(.permit([peer]), now: now)
            }
            return
        }
        for peer in peers {
            // What was installed holds for another minute.
            self.permissions[peer]?.isAsked = false
            self.permissions[peer]?.refreshAt = now + Self.permissionRetry
            self.waiting.removeAll { $0.peer.withPort(0) == peer }
            self.emit(.peerRefused(peer, failure))
        }
    }
}
