import CFuzzer
import FuzzInput
import NIOCore
import RTCBase
import RTCCore
import RTCSCTP
import RTCSTUN
import RTCTestKit

/// A connected pair, of which the right one gets the fuzzer's datagrams between those of its peer. It is made once and kept
/// while it stays connected, as a handshake for every input would leave little time for the inputs.
nonisolated(unsafe) private var kept: (pair: PeerPair, inputs: Int)?

private func connectedPair() -> PeerPair {
    if let (pair, inputs) = kept, inputs < 2_000, pair.right.session.connectionState == .connected {
        kept = (pair, inputs + 1)
        return pair
    }
    guard let pair = try? PeerPair(seed: 1),
        (try? pair.left.session.createDataChannel(DataChannelParameters(label: "a"), id: nil, now: pair.now)) != nil,
        (try? pair.negotiate()) != nil,
        pair.run(for: .seconds(10), until: { pair.right.session.connectionState == .connected })
    else { fatalError("the pair does not connect") }
    kept = (pair, 0)
    return pair
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let pair = connectedPair()
    let session = pair.right.session
    var steps = 0
    while !input.isEmpty, steps < 32 {
        steps += 1
        switch input.byte() & 7 {
        case 0:
            deliver(input.run(), to: pair, from: pair.left.address)
        case 1:
            deliver(input.run(), to: pair, from: TransportAddress(ipv4: 0x0A00_0003, port: input.uint16()))
        case 2, 3:
            deliverSTUN(&input, to: pair)
        case 4:
            let text = String(decoding: input.run(), as: UTF8.self)
            try? session.addICECandidate(RTCIceCandidateInit(candidate: text, sdpMid: "0"), now: pair.now)
        case 5:
            let text = String(decoding: input.run(), as: UTF8.self)
            let type: RTCSdpType = input.byte() & 1 == 0 ? .offer : .answer
            try? session.setRemoteDescription(RTCSessionDescription(type: type, sdp: text), now: pair.now)
            _ = try? session.createAnswer()
            try? session.setRemoteDescription(RTCSessionDescription(type: .rollback), now: pair.now)
        case 6:
            _ = pair.run(for: .milliseconds(Int64(input.byte())))
        default:
            if let handle = session.dataChannelHandle(in: pair.right.events) {
                try? session.send(ByteBuffer(bytes: input.run()), kind: .binary, on: handle, now: pair.now)
            }
        }
        pair.settle()
    }
    pair.left.clearEvents()
    pair.right.clearEvents()
    return 0
}

private func deliver(_ bytes: [UInt8], to pair: PeerPair, from source: TransportAddress) {
    pair.right.session.receive(bytes.span.bytes, from: source, to: pair.right.address, now: pair.now)
}

/// A binding request or response, with attributes of the fuzzer's, that passes the check of its integrity.
private func deliverSTUN(_ input: inout FuzzInput, to pair: PeerPair) {
    guard let local = pair.right.session.transportSnapshot?.localParameters,
        let remote = pair.right.session.transportSnapshot?.remoteParameters
    else { return }
    let kind = input.byte()
    let isRequest = kind & 1 == 0
    var builder = STUNMessageBuilder(
        isRequest ? .request : kind & 2 == 0 ? .successResponse : .errorResponse,
        .binding,
        STUNTransactionID(high: UInt64(input.uint16()), low: UInt32(input.byte()))
    )
    if kind & 4 == 0 {
        builder.append(.username, text: "\(local.usernameFragment):\(remote.usernameFragment)")
    }
    for _ in 0..<Int(input.byte() & 7) {
        let types: [STUNAttributeType] = [
            .priority, .useCandidate, .iceControlled, .iceControlling, .xorMappedAddress, .errorCode, .username,
            STUNAttributeType(rawValue: 0x7777),
        ]
        builder.append(types[Int(input.byte()) % types.count], bytes: input.run().prefix(512))
    }
    builder.appendIntegrity(STUNIntegrityKey(shortTermPassword: isRequest ? local.password : remote.password))
    if kind & 8 == 0 { builder.appendFingerprint() }
    let source = kind & 16 == 0 ? pair.left.address : TransportAddress(ipv4: 0x0A00_0004, port: UInt16(kind) + 1)
    pair.right.session.receive(
        builder.finish().readableBytesSpan,
        from: source,
        to: pair.right.address,
        now: pair.now
    )
}

extension PeerSession {
    fileprivate func dataChannelHandle(in events: [PeerSession.Event]) -> DataChannelHandle? {
        for case .dataChannel(let handle, _, _) in events { return handle }
        return nil
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSession_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
