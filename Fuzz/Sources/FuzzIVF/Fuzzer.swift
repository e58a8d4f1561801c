import CFuzzer
import FuzzInput
import NIOCore
import RTCMediaFiles

/// IVF files. What was read is written, and read as the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let limits = MediaFileLimits(frameSize: 1024, headerSize: 1024)
    guard let reader = try? IVFReader(FileInput(bytes: ByteBuffer(bytes: input.rest())), limits: limits) else {
        return 0
    }
    var packets: [IVFPacket] = []
    while let packet = try? reader.nextPacket() { packets.append(packet) }
    require(packets.count * 13 <= count, "more frames than bytes")
    require(packets.allSatisfy { (1...1024).contains($0.payload.readableBytes) }, "a frame of a wrong size")
    let copy = FileOutput()
    guard let writer = try? IVFWriter(copy, header: reader.header) else {
        require(false, "a header that was read cannot be written")
        return 0
    }
    for packet in packets { require((try? writer.write(packet)) != nil, "a frame that was read cannot be written") }
    require((try? writer.close()) != nil, "a file in memory cannot be closed")
    guard let again = try? IVFReader(FileInput(bytes: copy.bytes)) else {
        require(false, "what was written is malformed")
        return 0
    }
    for packet in packets { require((try? again.nextPacket()) == packet, "another frame") }
    require((try? reader.rewind()) != nil, "memory cannot be read again")
    while let frame = try? reader.nextFrame() { require(frame.time >= .zero, "a frame before the beginning") }
    return 0
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzIVF_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
