import NIOCore
import RTCBase
import Testing

@testable import RTCSCTP

/// What an engine below the channels may do that usrsctp does not.
@Suite struct EngineTests {
    /// An association that takes one byte at a time when told so, and delivers the notifications it is given.
    private final class Engine: SCTPAssociation {
        var notifications: [SCTPNotification] = [.up]
        var takes: [Int] = []
        private(set) var sent: [UInt16: [UInt8]] = [:]

        var now = NIODeadline.uptimeNanoseconds(0)
        let nextTimeout: NIODeadline? = nil
        let fillsPackets = false
        func handleTimeout() {}
        func pathResumed(isAnother: Bool) {}
        let outgoingStreams = 64
        let incomingStreams = 64
        let canAddStreams = false
        let hasFailed = false
        var status: SCTPAssociationStatus? { nil }

        func start(remotePort: UInt16, outgoingStreams: Int, maximumIncomingStreams: Int) -> Int { 0 }
        func receive(_ packet: UnsafeRawBufferPointer) {}
        func drive(_ body: () -> Void) { body() }
        func send(_ message: borrowing SCTPOutgoing) -> SCTPSendResult {
            guard !self.takes.isEmpty else { return .wouldBlock }
            let count = min(self.takes.removeFirst(), message.bytes.count)
            self.sent[message.stream, default: []] += message.bytes.prefix(count)
            return .accepted(count)
        }
        func setCorked(_ isCorked: Bool) {}
        func setBulk(_ isBulk: Bool) {}
        func read(into buffer: UnsafeMutableRawBufferPointer) -> SCTPReadResult {
            self.notifications.isEmpty ? .nothing : .notification(self.notifications.removeFirst())
        }
        func takeReadable() -> Bool { !self.notifications.isEmpty }
        func resetOutgoingStreams(_ streams: [UInt16]) -> Bool { true }
        func addOutgoingStreams(_ count: Int) -> Bool { false }
        func shutdown() {}
        func abort() {}
        func drainPackets(_ body: (UnsafeRawBufferPointer) -> Void) {}
    }

    @Test("A refused reset that was never asked for does not end a channel in the middle of a message")
    func unaskedRefusal() throws {
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let engine = Engine()
        let transport = DataChannelTransport(configuration: SCTPConfiguration(), association: engine)
        let parameters = DataChannelParameters(label: "a", negotiated: true)
        let first = try transport.createChannel(parameters, id: StreamID(rawValue: 0))
        let second = try transport.createChannel(parameters, id: StreamID(rawValue: 2))
        transport.start(isClient: true, remotePort: 5000, remoteMaximumMessageSize: 0, now: now)
        while transport.poll() != nil {}
        try transport.send(ByteBuffer(string: "one"), kind: .binary, on: first)
        try transport.send(ByteBuffer(string: "two"), kind: .binary, on: second)
        engine.takes = [1]
        transport.handleTimeout(now: now)
        transport.close(first)
        engine.notifications = [.outgoingStreamsResetRefused([0])]
        engine.takes = [3, 3, 3]
        transport.handleTimeout(now: now)
        while transport.poll() != nil {}
        #expect(engine.sent[0] == Array("one".utf8))
        #expect(engine.sent[2] == Array("two".utf8))
    }
}
