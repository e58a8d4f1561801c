import CFuzzer
import FuzzInput
import NIOCore

@testable import RTCFileTransfer

/// Frames, and both sides of a transfer whose peer follows no rules.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    switch input.byte() & 3 {
    case 0: frames(ByteBuffer(bytes: input.rest()))
    case 1: HostileReceiver().run(&input)
    default: HostileSender().run(&input)
    }
    return 0
}

/// What was read is written and read again as the same.
private func frames(_ message: ByteBuffer) {
    var message = message
    while message.readableBytes > 0, let frame = TransferFrame(from: &message) {
        var written = ByteBuffer()
        frame.write(to: &written)
        let again = TransferFrame(from: &written)
        require(again != nil && written.readableBytes == 0, "cannot be read: \(frame)")
        if frame.isWrittenWhole { require(again == frame, "another frame: \(frame)") }
        if case .entry(let entry) = frame {
            require(TransferPath(entry.path.bytes) == entry.path, "another path")
            require(entry.path.names.joined(separator: [0x2F]).elementsEqual(entry.path.bytes), "other names")
        }
    }
}

extension TransferFrame {
    /// Words that were no UTF-8 may become longer than words may be, and a problem that was found while reading is this side's.
    fileprivate var isWrittenWhole: Bool {
        switch self {
        case .failed(let problem), .skip(_, let problem), .fileFailed(_, let problem), .fileAborted(_, let problem):
            problem.side == .remote && problem.detail.utf8.count <= FileTransferProblem.maximumDetail
        default: true
        }
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzFileTransfer_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
