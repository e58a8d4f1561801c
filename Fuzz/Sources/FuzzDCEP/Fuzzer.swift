import CFuzzer
import FuzzInput
import NIOCore
import RTCBase

@testable import RTCSCTP

/// Data channels over an association that does anything: OPENs, pieces of messages, resets in any order, while this side
/// opens, sends and closes.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    message(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    transport(FuzzInput(start, count))
    return 0
}

/// A message alone: what was read and written is read as the same.
private func message(_ bytes: UnsafeRawBufferPointer) {
    guard let message = DCEPMessage(bytes) else { return }
    let written = message.encoded
    // Malformed UTF-8 grows when it is replaced, and may then not fit any more.
    guard written.readableBytes <= bytes.count else { return }
    written.withUnsafeReadableBytes { require(DCEPMessage($0) == message, "another message: \(message)") }
}

private func transport(_ input: FuzzInput) {
    let association = ScriptedAssociation(input)
    var configuration = SCTPConfiguration()
    configuration.maximumMessageSize = 4_096
    let transport = DataChannelTransport(configuration: configuration, association: association)
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var handles: [DataChannelHandle] = []
    transport.start(
        isClient: association.input.byte() & 1 == 0,
        remotePort: 5000,
        remoteMaximumMessageSize: 2_048,
        now: now
    )
    var steps = 0
    while !association.input.isEmpty, steps < 200 {
        steps += 1
        switch association.input.byte() & 15 {
        case 0:
            let stream = UInt16(association.input.byte() & 15)
            let negotiated = DataChannelParameters(label: "negotiated", negotiated: true)
            if let handle = try? transport.createChannel(negotiated, id: StreamID(rawValue: stream)) {
                handles.append(handle)
            }
        case 1:
            if let handle = try? transport.createChannel(DataChannelParameters(label: "a"), id: nil) {
                handles.append(handle)
            }
        case 2, 3:
            guard let handle = handles.randomElement(from: &association.input) else { break }
            try? transport.send(ByteBuffer(bytes: association.input.run()), kind: .binary, on: handle)
        case 4:
            if let handle = handles.randomElement(from: &association.input) { transport.close(handle) }
        case 5:
            if let handle = handles.randomElement(from: &association.input) { transport.abort(handle) }
        case 6:
            now = now + .milliseconds(Int64(association.input.uint16()))
            transport.handleTimeout(now: now)
        case 7: transport.pauseReading()
        case 8: transport.resumeReading()
        case 9: if association.input.byte() == 0 { transport.shutdown(now: now) }
        default:
            let packet: [UInt8] = [0]
            transport.receive(packet.span.bytes, now: now)
        }
        drain(transport, into: &handles)
    }
    transport.abort()
    drain(transport, into: &handles)
}

private func drain(_ transport: DataChannelTransport, into handles: inout [DataChannelHandle]) {
    while case .event(let event)? = transport.poll() {
        switch event {
        case .channelIncoming(let handle, _, _): handles.append(handle)
        case .channelClosed(let handle, _): handles.removeAll { $0 == handle }
        default: break
        }
    }
}

extension [DataChannelHandle] {
    fileprivate func randomElement(from input: inout FuzzInput) -> DataChannelHandle? {
        self.isEmpty ? nil : self[Int(input.byte()) % self.count]
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzDCEP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
