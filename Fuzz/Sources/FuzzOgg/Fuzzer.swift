import CFuzzer
import FuzzInput
import NIOCore
import RTCRTP

@testable import RTCMediaFiles

/// Ogg files. An even first byte has the rest read as it is; an odd one has it made pages with sound checksums, behind sound
/// headers.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let bytes = input.byte() & 1 == 0 ? ByteBuffer(bytes: input.rest()) : pages(&input)
    let limits = MediaFileLimits(frameSize: 4096, headerSize: 1024)
    guard let reader = try? OggOpusReader(FileInput(bytes: bytes), limits: limits) else { return 0 }
    let first = readAll(reader, byteCount: bytes.readableBytes)
    require((try? reader.rewind()) != nil, "headers that were sound are not")
    require(readAll(reader, byteCount: bytes.readableBytes) == first, "other frames the second time")
    return 0
}

private func readAll(_ reader: OggOpusReader, byteCount: Int) -> [MediaFileFrame] {
    var frames: [MediaFileFrame] = []
    var time = Duration.zero
    while let frame = try? reader.nextFrame() {
        require((1...4096).contains(frame.frame.payload.readableBytes), "a packet of a wrong size")
        require(frame.time >= time, "back in time")
        time = frame.time
        frames.append(frame)
    }
    require(frames.count <= byteCount, "more packets than bytes")
    return frames
}

private func pages(_ input: inout FuzzInput) -> ByteBuffer {
    var bytes = ByteBuffer()
    append(OpusHead().bytes, flags: .first, granule: 0, number: 0, to: &bytes)
    append(OpusTags().bytes, flags: [], granule: 0, number: 1, to: &bytes)
    var number: UInt32 = 2
    while !input.isEmpty {
        let flags = OggPage.Flags(rawValue: input.byte() & 7)
        let granule = UInt64(input.uint16()) << UInt64(input.byte() & 63)
        number &+= UInt32(input.byte() & 3)
        append(ByteBuffer(bytes: input.run()), flags: flags, granule: granule, number: number, to: &bytes)
    }
    return bytes
}

/// A page of segments that divide `payload`; one that ends with a full segment goes on in the next page.
private func append(
    _ payload: ByteBuffer,
    flags: OggPage.Flags,
    granule: UInt64,
    number: UInt32,
    to bytes: inout ByteBuffer
) {
    var segments = [UInt8](repeating: 255, count: payload.readableBytes / 255)
    if payload.readableBytes % 255 > 0 { segments.append(UInt8(payload.readableBytes % 255)) }
    OggPage(
        flags: flags,
        granulePosition: granule,
        serialNumber: 1,
        sequenceNumber: number,
        segments: segments,
        payload: payload
    ).append(to: &bytes)
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzOgg_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
