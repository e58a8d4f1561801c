internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension TURNClient {
    /// What a server that names no lifetime gives (RFC 8656 section 3.2).
    private static let defaultLifetime: UInt32 = 600
    /// So long before its end an allocation is prolonged, or at half of a short lifetime.
    private static let refreshMargin: Int64 = 60
    /// After a refresh that nobody answered, or a server in trouble.
    private static let refreshRetry = TimeAmount.seconds(5)

    func succeeded(
        _ purpose: Request.Purpose,
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        now: NIODeadline
    ) {
        switch purpose {
        case .allocate:
            self.allocated(message, attributes, now: now)
        case .refresh:
            self.prolong(attributes.lifetime, now: now)
        case .permit(let peers):
            for peer in peers { self.permitted(peer, now: now) }
            self.flushWaiting()
        case .bind(let peer):
            self.bound(peer, now: now)
        }
    }

    func failed(_ purpose: Request.Purpose, _ failure: TURNFailure, now: NIODeadline) {
        switch purpose {
        case .allocate:
            self.allocationFailed(failure, now: now)
        case .refresh:
            self.refreshFailed(failure, now: now)
        case .permit(let peers):
            self.permissionFailed(peers, failure, now: now)
        case .bind(let peer):
            self.bindingFailed(peer, failure, now: now)
        }
    }

    private func allocated(_ message: STUNMessage, _ attributes: TURNAttributes, now: NIODeadline) {
        let relayed = [attributes.relayedAddress, attributes.additionalRelayedAddress].compactMap { $0 }
            .filter { $0.port != 0 && !$0.isUnspecified && !$0.isMulticast }
        guard !relayed.isEmpty else {
            return self.refuse(TURNFailure(code: 500, text: "The server's answer has no relayed address."))
        }
        let allocation = TURNRelayedAddresses(relayed: relayed, mapped: message.mappedAddress)
        self.allocation = allocation
        self.permissions = self.permissions.filter { self.serves($0.key) }
        self.phase = .allocated
        self.deadline = nil
        self.prolong(attributes.lifetime, now: now)
        self.emit(.allocated(allocation))
        self.askForPermissions(now: now)
    }

    private func allocationFailed(_ failure: TURNFailure, now: NIODeadline) {
        let isFamilyMissing = failure.code == TURNErrorCode.addressFamilyNotSupported.rawValue
        // Some servers of RFC 5766 refuse what they should ignore.
        let isMisunderstood =
            failure.code == TURNErrorCode.badRequest.rawValue
            || failure.code == TURNErrorCode.unknownAttribute.rawValue
        if self.families == .both, isFamilyMissing || isMisunderstood {
            self.families = .ipv4
            return self.request(.allocate, now: now)
        }
        self.refuse(failure)
    }

    private func prolong(_ lifetime: UInt32?, now: NIODeadline) {
        self.isInDoubt = false
        let seconds = Int64(lifetime ?? Self.defaultLifetime)
        guard seconds > 0 else {
            return self.lose(TURNFailure(code: 437, text: "The server has ended the allocation."))
        }
        self.expiresAt = now + .seconds(seconds)
        self.refreshAt = now + .milliseconds(max(seconds - Self.refreshMargin, seconds / 2) * 1_000)
        if seconds < 2 { self.refreshAt = now + .milliseconds(seconds * 500) }
    }

    private func refreshFailed(_ failure: TURNFailure, now: NIODeadline) {
        switch failure.code {
        case TURNErrorCode.allocationMismatch.rawValue:
            self.lose(failure)
        case TURNFailure.unreachable where self.isInDoubt:
            self.lose(failure)
        // A server in trouble may be asked again (RFC 8489 section 14.8), and a nonce can be too old several times.
        case TURNFailure.unreachable, TURNErrorCode.staleNonce.rawValue, 500...599:
            self.refreshAt = now + Self.refreshRetry
        default:
            self.refreshAt = nil
            self.emit(.refreshRefused(failure))
        }
    }

    /// Refreshes what ends soon.
    func keepAlive(now: NIODeadline) {
        if let due = self.refreshAt, due <= now {
            self.refreshAt = nil
            if !self.isRefreshing { self.request(.refresh(lifetime: self.configuration.lifetime), now: now) }
        }
        self.askForPermissions(now: now)
        self.refreshChannels(now: now)
    }
}
