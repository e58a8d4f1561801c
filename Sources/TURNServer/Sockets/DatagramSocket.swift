internal import CRTCSockets
internal import RTCBase
internal import RTCTURN

/// A bound UDP socket that is read and written in batches. Confined to its shard, which closes it.
struct DatagramSocket: Sendable {
    let descriptor: CInt
    let address: TransportAddress

    enum Use {
        /// Many clients send to it, and other threads listen on the same port.
        case listener
        /// One client's relay.
        case relay
    }

    init(boundTo address: TransportAddress, for use: Use) throws {
        var local = address.cAddress
        var bound = crtc_address()
        let isListener = if case .listener = use { true } else { false }
        let options = crtc_udp_options(
            reuse_port: isListener,
            receive_offload: true,
            report_errors: !isListener,
            receive_buffer: isListener ? Self.listenerBufferBytes : 0,
            send_buffer: isListener ? Self.listenerBufferBytes : 0
        )
        self.descriptor = try SocketError.check(crtc_udp_open(&local, options, &bound))
        self.address = TransportAddress(bound)
    }

    func close() { crtc_close(self.descriptor) }

    func setDontFragment(_ isSet: Bool) {
        crtc_udp_set_dont_fragment(self.descriptor, self.address.family == .ipv4 ? 4 : 6, isSet)
    }

    /// What ICMP told of datagrams sent, at most `limit` of it.
    func takeErrors(limit: Int, _ body: (TransportAddress, TURNICMP) -> Void) {
        for _ in 0..<limit {
            var error = crtc_icmp()
            let result = crtc_udp_next_error(self.descriptor, &error)
            if result == 0 { return }
            guard result > 0 else { continue }
            let icmp = TURNICMP(type: error.type, code: UInt16(error.code), data: error.info)
            body(TransportAddress(error.destination), icmp)
        }
    }

    private static let listenerBufferBytes: CInt = 4 << 20
}

extension TransportAddress {
    var cAddress: crtc_address {
        crtc_address(
            high: self.ipv6High,
            low: self.ipLow,
            scope: self.scopeID,
            port: self.port,
            family: self.family.rawValue
        )
    }

    init(_ address: crtc_address) {
        if address.family == 4 {
            self.init(ipv4: UInt32(truncatingIfNeeded: address.low), port: address.port)
        } else {
            self.init(ipv6High: address.high, low: address.low, port: address.port, scopeID: address.scope)
        }
    }
}
