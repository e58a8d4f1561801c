import CFuzzer
import FuzzInput
import NIOCore
import RTCMediaFiles
import RTCRTP

/// Byte streams; the first byte says which codec. What was read is written, and read as the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let codec: AnnexBCodec = input.byte() & 1 == 0 ? .h264 : .h265
    let bytes = ByteBuffer(bytes: input.rest())
    let units = read(bytes, codec)
    require(units.reduce(0) { $0 + $1.readableBytes } <= bytes.readableBytes * 2, "more than was there")
    let copy = FileOutput()
    let writer = AnnexBWriter(copy)
    for unit in units { require((try? writer.write(unit)) != nil, "a unit that was read cannot be written") }
    require(read(copy.bytes, codec) == units, "other units")
    _ = try? MediaFile.open(FileInput(bytes: bytes))
    return 0
}

private func read(_ bytes: ByteBuffer, _ codec: AnnexBCodec) -> [ByteBuffer] {
    let reader = AnnexBReader(FileInput(bytes: bytes), codec: codec, limits: MediaFileLimits(frameSize: 4096))
    var units: [ByteBuffer] = []
    while let frame = try? reader.nextFrame() { units.append(frame.frame.payload) }
    return units
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzAnnexB_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
