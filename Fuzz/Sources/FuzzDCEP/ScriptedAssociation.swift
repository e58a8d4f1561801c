import FuzzInput
import NIOCore

@testable import RTCSCTP

/// An association whose peer is the fuzzer: what it delivers, accepts and refuses are the input's bytes.
final class ScriptedAssociation: SCTPAssociation {
    var input: FuzzInput
    private var rest: [UInt8] = []
    private var pendingReads = 0

    init(_ input: FuzzInput) { self.input = input }

    var now = NIODeadline.uptimeNanoseconds(0)
    let nextTimeout: NIODeadline? = nil
    let fillsPackets = false
    func handleTimeout() {}
    func pathResumed(isAnother: Bool) {}
    var outgoingStreams = 64
    var incomingStreams = 64
    var canAddStreams: Bool { self.outgoingStreams < 256 }
    var hasFailed = false
    var status: SCTPAssociationStatus? { nil }

    func start(remotePort: UInt16, outgoingStreams: Int, maximumIncomingStreams: Int) -> Int { 0 }
    func receive(_ packet: UnsafeRawBufferPointer) { self.pendingReads = 4 }
    func drive(_ body: () -> Void) { body() }

    func send(_ message: borrowing SCTPOutgoing) -> SCTPSendResult {
        switch self.input.byte() {
        case 0..<32: return .wouldBlock
        case 32..<64: return .accepted(message.bytes.count / 2)
        case 64: return .failed
        default: return .accepted(message.bytes.count)
        }
    }

    func setCorked(_ isCorked: Bool) {}
    func setBulk(_ isBulk: Bool) {}

    func read(into buffer: UnsafeMutableRawBufferPointer) -> SCTPReadResult {
        guard self.pendingReads > 0, !self.input.isEmpty else { return .nothing }
        self.pendingReads -= 1
        switch self.input.byte() {
        case 0..<16: return .notification(self.notification())
        case 16: return .nothing
        case let kind:
            let stream = UInt16(self.input.byte() & 15)
            let payloadProtocol = self.payloadProtocol()
            let bytes = self.input.run().prefix(buffer.count)
            buffer.copyBytes(from: bytes)
            return .data(
                SCTPIncomingData(
                    count: bytes.count,
                    stream: stream,
                    payloadProtocol: payloadProtocol,
                    isUnordered: kind & 1 == 1,
                    endsMessage: kind & 12 != 0
                )
            )
        }
    }

    /// Mostly those of RFC 8831 section 8.
    private func payloadProtocol() -> UInt32 {
        let byte = self.input.byte()
        return byte < 224 ? 50 + UInt32(byte & 7) : UInt32(self.input.uint16())
    }

    private func notification() -> SCTPNotification {
        func streams() -> [UInt16] { self.input.run().prefix(32).map { UInt16($0 & 31) } }
        switch self.input.byte() & 15 {
        case 0: return .lost(cause: nil)
        case 1: return .lost(cause: Int(self.input.byte()))
        case 2: return .restarted
        case 3: return .shutdownComplete
        case 4, 5, 6: return .incomingStreamsReset(streams())
        case 7, 8: return .outgoingStreamsReset(streams())
        case 9: return .outgoingStreamsResetRefused(streams())
        case 10:
            self.outgoingStreams += 16
            return .streamsAdded
        case 11: return .addingStreamsRefused
        case 12: return .partialMessageAborted
        case 13, 14: return .up
        default: return .other
        }
    }

    func takeReadable() -> Bool { false }
    func resetOutgoingStreams(_ streams: [UInt16]) -> Bool { self.input.byte() < 240 }
    func addOutgoingStreams(_ count: Int) -> Bool { self.input.byte() < 128 }
    func shutdown() {}
    func abort() {}
    func drainPackets(_ body: (UnsafeRawBufferPointer) -> Void) {}
}
