import CFuzzer
import FuzzInput
import NIOCore
import RTCRTP

nonisolated(unsafe) private let map = HeaderExtensionMap([
    .mid: 1, .rid: 2, .repairedRID: 3, .audioLevel: 4, .mixerAudioLevel: 5, .absoluteSendTime: 6,
    .transmissionOffset: 7, .transportSequenceNumber: 8, .transportSequenceNumberV2: 9, .videoOrientation: 10,
    .playoutDelay: 11, .absoluteCaptureTime: 12, .videoLayersAllocation: 13, .dependencyDescriptor: 14,
])

private func makeDemultiplexer() -> RTPDemultiplexer {
    var demultiplexer = RTPDemultiplexer(maximumLearnedStreams: 4)
    let types = [PayloadType(lowBitsOf: 96)]
    let repairs = [PayloadType(lowBitsOf: 97)]
    demultiplexer.setSections(
        [
            .init(id: 0, mid: "a", payloadTypes: [PayloadType(lowBitsOf: 111)]),
            .init(id: 1, mid: "v", payloadTypes: types, retransmissionPayloadTypes: repairs),
            .init(
                id: 2,
                mid: "s",
                payloadTypes: types,
                retransmissionPayloadTypes: repairs,
                encodings: ["h", "l"]
            ),
        ],
        extensionMap: map
    )
    return demultiplexer
}

/// Packets one after another through all that reads, rewrites, wraps and routes them: borders stay inside, and what is read
/// as a value is written and read again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    var demultiplexer = makeDemultiplexer()
    var statistics = RTPReceiveStatistics(clockRate: 90_000)
    var now = NIODeadline.uptimeNanoseconds(0)
    var structure: DependencyStructure?
    while !input.isEmpty {
        let bytes = input.run()
        _ = RTPPacketKind(bytes.span.bytes)
        guard let view = RTPPacketView(bytes.span.bytes) else { continue }
        require(view.size == bytes.count, "borders that are not the packet's")
        readExtensions(view, bytes, &structure)
        if let route = demultiplexer.route(view, in: bytes.span.bytes) {
            require((0...2).contains(route.section), "a section that is none")
            require(demultiplexer.remoteRoute(of: view.header.ssrc)?.section == route.section, "a route not learned")
        }
        now = now + .milliseconds(Int64(input.byte()))
        _ = statistics.receive(view, now: now)
        _ = statistics.makeReportBlock(ssrc: view.header.ssrc, now: now)
        rewrite(view, bytes)
        wrap(view, bytes)
        change(bytes)
    }
    return 0
}

private func readExtensions(_ view: RTPPacketView, _ bytes: [UInt8], _ structure: inout DependencyStructure?) {
    check(MIDExtension.self, view, bytes)
    check(RIDExtension.self, view, bytes)
    check(RepairedRIDExtension.self, view, bytes)
    check(AudioLevel.self, view, bytes)
    check(MixerAudioLevels.self, view, bytes)
    check(AbsoluteSendTime.self, view, bytes)
    check(TransmissionOffset.self, view, bytes)
    check(TransportSequenceNumber.self, view, bytes)
    check(TransportSequenceNumberV2.self, view, bytes)
    check(VideoOrientation.self, view, bytes)
    check(PlayoutDelay.self, view, bytes)
    check(AbsoluteCaptureTime.self, view, bytes)
    check(VideoLayersAllocation.self, view, bytes)
    guard let range = view.extensionRange(id: 14, in: bytes.span.bytes) else { return }
    let span = bytes.span.bytes
    guard let descriptor = DependencyDescriptor(span.extracting(range), structure: structure) else { return }
    structure = descriptor.structure ?? structure
    guard let known = structure, known.isValid else { return }
    let again = descriptor.bytes(structure: known)
    require(again != nil, "a descriptor that cannot be written")
    let copy = again ?? []
    require(DependencyDescriptor(copy.span.bytes, structure: known) == descriptor, "another descriptor")
}

private func check<Value: HeaderExtensionValue>(_ type: Value.Type, _ view: RTPPacketView, _ bytes: [UInt8]) {
    guard let value = view.value(type, in: bytes.span.bytes, map: map) else { return }
    require(value.byteCount <= 255, "too long a value")
    var copy = [UInt8](repeating: 0, count: value.byteCount)
    copy.withUnsafeMutableBytes { value.write(into: $0) }
    require(Value(copy.span.bytes) == value, "another value")
}

private func rewrite(_ view: RTPPacketView, _ bytes: [UInt8]) {
    var remap = HeaderExtensionRemap()
    for id in UInt8(1)...13 { remap[id] = 14 - id }
    var copy = bytes
    require(copy.withUnsafeMutableBytes { view.rewriteExtensionIDs(in: $0, remap: remap) }, "not rewritten")
    require(RTPPacketView(copy.span.bytes) == view, "borders that moved")
}

private func wrap(_ view: RTPPacketView, _ bytes: [UInt8]) {
    var wrapped = [UInt8](repeating: 0, count: bytes.count + RTXPacket.overhead)
    let size = wrapped.withUnsafeMutableBytes {
        RTXPacket.wrap(
            bytes.span.bytes,
            view,
            payloadType: PayloadType(lowBitsOf: 97),
            ssrc: view.header.ssrc,
            sequenceNumber: 1,
            into: $0
        )
    }
    require(size != nil, "not wrapped")
    wrapped.removeLast(wrapped.count - (size ?? 0))
    guard let wrappedView = RTPPacketView(wrapped.span.bytes) else { return require(false, "wrapped into no packet") }
    let start = wrapped.withUnsafeMutableBytes {
        RTXPacket.unwrap($0, wrappedView, payloadType: view.header.payloadType, ssrc: view.header.ssrc)
    }
    require(start == RTXPacket.overhead, "not unwrapped")
    var original = Array(bytes[..<view.payloadRange.upperBound])
    original[0] &= ~0x20
    require(Array(wrapped[RTXPacket.overhead...]) == original, "another packet")
}

private func change(_ bytes: [UInt8]) {
    guard var packet = RTPPacket(ByteBuffer(bytes: bytes)) else { return require(false, "a view but no packet") }
    let payload = packet.payload
    packet.setExtension(TransportSequenceNumber(5), map: map)
    require(packet.value(TransportSequenceNumber.self, map: map)?.number == 5, "a value that was not set")
    packet.removeExtension(id: 1)
    require(packet.extensionBytes(id: 1) == nil, "an element that was not removed")
    require(packet.payload == payload, "another payload")
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzRTP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
