import CFuzzer
import FuzzInput

/// A TURN client whose server says anything, in virtual time: answers of every kind to what it asks, with sound and with broken integrity
/// codes, data of peers that it knows and of others, noise.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    ClientBench(flags: input.byte()).run(&input)
    return 0
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzTURNClient_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
