internal import NIOCore

/// The deadlines of an association (RFC 9260 section 6.3.2).
struct Timers {
    enum Kind: Int, CaseIterable {
        /// INIT, or COOKIE ECHO.
        case handshake
        /// Nothing was acknowledged.
        case retransmission
        /// A chunk will count as lost.
        case loss
        /// The last chunk is sent again to provoke an acknowledgement.
        case probe
        /// A request about streams (RFC 6525) was not answered.
        case reconfiguration
        case shutdown
        /// The end of an orderly shutdown's patience.
        case shutdownGuard
        case heartbeat
        /// A heartbeat was not answered.
        case heartbeatAnswer
    }

    private var deadlines = [NIODeadline?](repeating: nil, count: Kind.allCases.count)

    subscript(kind: Kind) -> NIODeadline? {
        get { self.deadlines[kind.rawValue] }
        set { self.deadlines[kind.rawValue] = newValue }
    }

    var next: NIODeadline? {
        var next: NIODeadline?
        for deadline in self.deadlines {
            if let deadline { next = min(next ?? deadline, deadline) }
        }
        return next
    }

    /// Takes a timer whose time has come; it is off then.
    mutating func takeDue(now: NIODeadline) -> Kind? {
        for kind in Kind.allCases {
            if let deadline = self[kind], deadline <= now {
                self[kind] = nil
                return kind
            }
        }
        return nil
    }
}
