internal import RTCBase
internal import Synchronization

/// The addresses of relays for TCP, so that no two have the same (RFC 8656 section 6).
///
/// Connections to peers come from the port that the relay listens on, so its socket shares the port, and the kernel would give
/// one port to two relays and divide what peers send between them.
final class RelayClaims: Sendable {
    /// Another relay has the address.
    struct Taken: Error {}

    private let addresses = Mutex<Set<TransportAddress>>([])

    init() {}

    /// Claims an address.
    ///
    /// - Returns: `false` if another relay has it.
    func claim(_ address: TransportAddress) -> Bool { self.addresses.withLock { $0.insert(address).inserted } }

    func release(_ address: TransportAddress) {
        self.addresses.withLock { _ = $0.remove(address) }
    }
}
