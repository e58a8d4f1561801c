public import NIOCore
import RTCBase

/// What the server itself sends, until the broker has it.
struct STOMPRelaySystem: Sendable {
    struct Pending: Sendable {
        var number: UInt64
        var frame: STOMPFrame
        var size: Int
    }

    var link: STOMPRelayLinkID?
    /// Without the broker's receipt, in their order.
    var pending = CircularBuffer<Pending>()
    var pendingBytes = 0
    var nextNumber: UInt64 = 0
    /// How often the oldest was the one when the broker ended the connection with an `ERROR` that named none.
    var refusals = (number: UInt64(0), count: 0)
    /// When the broker is tried again; nil while it is there or is being tried.
    var retryAt: NIODeadline?
    /// The waits since it was last there.
    var backOff: BackOff

    init(backOff: BackOff) { self.backOff = backOff }
}

extension STOMPRelay {
    /// Sends to a destination of the broker or to `/user/NAME/…`, as a client would.
    ///
    /// It is kept until the broker gives a receipt, and sent again after the connection broke: at least once, in its order.
    ///
    /// - Returns: Whether there is such a destination, and room while the broker is away.
    @discardableResult
    public mutating func publish(
        to destination: String,
        headers: [STOMPFrame.Header] = [],
        body: ByteBuffer,
        now: NIODeadline
    ) -> Bool {
        var isTaken = true
        let frame = STOMPFrame("SEND", headers.filter { $0.name != "receipt" }, body: body)
        switch self.destinations.sending(to: destination) {
        case nil, .application?: return false
        case .broker(let name)?: isTaken = self.submit(self.addressed(frame, to: name), now)
        case .user(let names)?:
            for name in names { isTaken = self.submit(self.addressed(frame, to: name), now) && isTaken }
        }
        return isTaken
    }

    /// Sends to one client that subscribes to `destination`: for `/queue/x` it subscribes to `/user/queue/x`.
    public mutating func send(
        to id: STOMPConnectionID,
        destination: String,
        headers: [STOMPFrame.Header] = [],
        body: ByteBuffer,
        now: NIODeadline
    ) {
        guard let session = self.clients[id]?.session, !session.isEmpty else { return }
        self.publish(to: "/user/" + session + destination, headers: headers, body: body, now: now)
    }

    private mutating func submit(_ frame: STOMPFrame, _ now: NIODeadline) -> Bool {
        let size = STOMPFrame.size(of: frame.headers, frame.body)
        guard self.system.pending.count < self.relay.maximumPendingMessages,
            self.system.pendingBytes + size <= self.relay.maximumPendingBytes
        else {
            self.droppedMessages += 1
            return false
        }
        self.system.nextNumber += 1
        var frame = frame
        frame.set("receipt", String(self.system.nextNumber))
        let pending = STOMPRelaySystem.Pending(number: self.system.nextNumber, frame: frame, size: size)
        self.system.pending.append(pending)
        self.system.pendingBytes += size
        if let link = self.system.link, self.links[link]?.phase == .connected {
            _ = self.transmit(frame, toBroker: link, now)
        }
        return true
    }

    mutating func systemReceipt(_ name: String?) { _ = self.settle(name) }

    /// The broker ended the connection with an `ERROR`. The message that it names is dropped; if it names none, the oldest once that
    /// was the oldest three times in a row, as frames are taken in their order: others are not lost for a broker's own troubles.
    mutating func systemRefused(_ name: String?) {
        guard name == nil else {
            if self.settle(name) { self.droppedMessages += 1 }
            return
        }
        guard let oldest = self.system.pending.first else { return }
        let count = self.system.refusals.number == oldest.number ? self.system.refusals.count + 1 : 1
        self.system.refusals = (oldest.number, count)
        if count == 3, self.settle(String(oldest.number)) { self.droppedMessages += 1 }
    }

    /// Lets go of the message of a receipt's name; false if there is none.
    private mutating func settle(_ name: String?) -> Bool {
        guard let number = name.flatMap({ UInt64($0) }),
            let index = self.system.pending.firstIndex(where: { $0.number == number })
        else { return false }
        self.system.pendingBytes -= self.system.pending[index].size
        self.system.pending.remove(at: index)
        return true
    }

    // MARK: The connection

    mutating func openSystemLink(_ now: NIODeadline) {
        self.system.retryAt = nil
        self.system.link = self.openLink(for: nil, version: .v1_2, now)
    }

    mutating func systemConnected(_ id: STOMPRelayLinkID, _ now: NIODeadline) {
        self.system.backOff.reset()
        self.isAvailable = true
        self.outputs.append(.availability(true))
        for pending in self.system.pending { _ = self.transmit(pending.frame, toBroker: id, now) }
    }

    /// Tries again later.
    mutating func systemLost(_ now: NIODeadline) {
        self.system.link = nil
        self.system.retryAt = now + self.system.backOff.next()
        guard self.isAvailable else { return }
        self.isAvailable = false
        self.outputs.append(.availability(false))
    }
}
