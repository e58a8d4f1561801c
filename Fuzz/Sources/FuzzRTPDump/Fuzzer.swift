import CFuzzer
import FuzzInput
import NIOCore
import RTCMediaFiles

/// rtpdump files. What was read is written where it can be, and read as the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    guard let reader = try? RTPDumpReader(FileInput(bytes: ByteBuffer(bytes: input.rest()))) else { return 0 }
    let copy = FileOutput()
    guard let writer = try? RTPDumpWriter(copy, header: RTPDumpHeader(startTime: reader.header.startTime)) else {
        require(false, "a header that was read cannot be written")
        return 0
    }
    var packets: [RTPDumpPacket] = []
    while let packet = try? reader.nextPacket() {
        if (try? writer.write(packet)) != nil { packets.append(packet) }
    }
    require(packets.count * 9 <= count, "more packets than bytes")
    guard let again = try? RTPDumpReader(FileInput(bytes: copy.bytes)) else {
        require(false, "what was written is malformed")
        return 0
    }
    require(again.header.startTime == reader.header.startTime, "another beginning")
    for packet in packets { require((try? again.nextPacket()) == packet, "another packet") }
    return 0
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzRTPDump_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
