import CFuzzer
import FuzzInput
import NIOCore
import RTCBase
import RTCRTP

private let limits = DepacketizerLimits(frameSize: 4096, packets: 64)

/// Every depacketizer and every reader of bitstreams. The first byte names the format; then come packets, each a byte of
/// flags and a run of bytes.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let formats = PayloadFormat.allCases
    let selector = Int(input.byte())
    switch selector % (formats.count + 4) {
    case let index where index < formats.count: depacketize(formats[index], &input)
    case formats.count: redundant(&input)
    case formats.count + 1: events(&input)
    case formats.count + 2: bitstreams(input.rest())
    default: packetize(formats[selector / (formats.count + 4) % formats.count], &input)
    }
    return 0
}

private func depacketize(_ format: PayloadFormat, _ input: inout FuzzInput) {
    var depacketizer = format.makeDepacketizer(limits: limits)
    var sequenceNumber: UInt16 = 65_530
    while !input.isEmpty {
        depacketizer.begin(timestamp: 1, isStartKnown: input.byte() & 1 == 0)
        var marker = false
        while !marker && !input.isEmpty {
            let flags = input.byte()
            marker = flags & 1 != 0
            let payload = input.run()
            let span = payload.span.bytes
            _ = format.descriptor(of: span, marker: marker)
            depacketizer.append(span, sequenceNumber: sequenceNumber, marker: marker)
            // Now and then a packet is missing.
            sequenceNumber &+= flags & 0xF0 == 0xF0 ? 2 : 1
        }
        guard case .success(let frame) = depacketizer.finish() else { continue }
        require(frame.payload.readableBytes > 0, "a frame without bytes")
        require(frame.payload.readableBytes <= limits.frameSize + 64, "a frame beyond the limit")
    }
}

private func redundant(_ input: inout FuzzInput) {
    let payload = input.rest()
    guard case .success(let red) = REDPayload.parse(payload.span.bytes, timestamp: 1) else { return }
    for block in red.redundant + [red.primary] {
        require(!block.range.isEmpty && block.range.upperBound <= payload.count, "a block outside the payload")
    }
}

private func events(_ input: inout FuzzInput) {
    var receiver = TelephoneEventReceiver()
    var now = NIODeadline.uptimeNanoseconds(0)
    var isPlaying = false
    while !input.isEmpty {
        let flags = input.byte()
        now = now + .milliseconds(Int64(flags))
        receiver.handleTimeout(now: now)
        let payload = input.run()
        receiver.receive(payload.span.bytes, timestamp: UInt32(input.uint16()), marker: flags & 1 == 0, now: now)
        while let output = receiver.poll() {
            switch output {
            case .began:
                require(!isPlaying, "two events at once")
                isPlaying = true
            case .ended:
                require(isPlaying, "the end of no event")
                isPlaying = false
            }
        }
    }
}

private func bitstreams(_ bytes: [UInt8]) {
    let span = bytes.span.bytes
    _ = (H264SequenceParameterSet(nalUnit: span), H265SequenceParameterSet(nalUnit: span))
    _ = (VP8FrameHeader(span), VP9FrameHeader(span), AV1SequenceHeader(span))
    _ = (AV1OBU(span, at: 0), OpusPacket(span), ComfortNoise(payload: span))
    var walk = AnnexB()
    var end = 0
    while let unit = walk.next(in: span) {
        require(unit.lowerBound >= end && !unit.isEmpty && unit.upperBound <= bytes.count, "units that overlap")
        end = unit.upperBound
    }
}

private func packetize(_ format: PayloadFormat, _ input: inout FuzzInput) {
    let maximum = Int(input.byte())
    let isKeyFrame = input.byte() & 1 == 0
    let frame = EncodedFrame(payload: ByteBuffer(bytes: input.rest()), timestamp: 1, isKeyFrame: isKeyFrame)
    var packetizer = format.makePacketizer()
    var depacketizer = format.makeDepacketizer()
    depacketizer.begin(timestamp: 1, isStartKnown: true)
    var sequenceNumber: UInt16 = 0
    var failed = false
    do {
        try packetizer.packetize(frame, maximumPayloadSize: maximum) { payload in
            require(payload.byteCount > 0 && payload.byteCount <= maximum, "a payload of a wrong size")
            var buffer = ByteBuffer()
            payload.append(to: &buffer, from: frame.payload)
            depacketizer.append(buffer.readableBytesSpan, sequenceNumber: sequenceNumber, marker: payload.marker)
            sequenceNumber &+= 1
        }
    } catch {
        failed = true
        require(sequenceNumber == 0, "an error after packets")
    }
    guard !failed, format == .vp8 || format == .vp9 else { return }
    guard case .success(let whole) = depacketizer.finish() else {
        return require(frame.payload.readableBytes > 1 << 20, "lost")
    }
    require(whole.payload == frame.payload, "another frame")
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzPayloads_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
