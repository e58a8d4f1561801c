import CFuzzer
import FuzzInput
import NIOCore
import RTCMediaFiles

/// WAV files. What was read is written, and read as the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let bytes = ByteBuffer(bytes: input.rest())
    let limits = MediaFileLimits(frameSize: 1024, headerSize: 1024)
    guard let reader = try? WAVReader(FileInput(bytes: bytes), limits: limits) else { return 0 }
    let samples = readAll(reader)
    require(
        samples.readableBytes <= count && samples.readableBytes % reader.format.blockSize == 0,
        "a part of a sample"
    )
    let copy = FileOutput()
    guard let writer = try? WAVWriter(copy, format: reader.format), (try? writer.write(samples)) != nil,
        (try? writer.close()) != nil, let again = try? WAVReader(FileInput(bytes: copy.bytes))
    else {
        require(false, "what was read cannot be written")
        return 0
    }
    // Without samples the size is 0, and what is behind them counts: nothing, here.
    require(again.format == reader.format && readAll(again) == samples, "other samples")
    if let frames = try? WAVFrameReader(again) { while (try? frames.nextFrame()) != nil {} }
    return 0
}

private func readAll(_ reader: WAVReader) -> ByteBuffer {
    var samples = ByteBuffer()
    while let block = try? reader.nextBlock(sampleCount: 160) { samples.writeImmutableBuffer(block) }
    return samples
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzWAV_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
