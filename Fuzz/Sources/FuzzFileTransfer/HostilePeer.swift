import FuzzInput
import NIOCore

@testable import RTCFileTransfer

/// A peer that is the fuzzer.
protocol HostilePeer: AnyObject {
    /// Hands a message to the honest side.
    func send(_ message: ByteBuffer)
}

extension HostilePeer {
    /// Hands a message of one frame to the honest side.
    func send(_ frame: TransferFrame) {
        var message = ByteBuffer()
        frame.write(to: &message)
        self.send(message)
    }

    /// Looks at a message of the honest side: frames, and no more of them than fit.
    func check(_ message: ByteBuffer) {
        var message = message
        require(message.readableBytes <= FramePacker.maximumSize, "a message larger than any may be")
        while message.readableBytes > 0 {
            require(TransferFrame(from: &message) != nil, "something that is no frame")
        }
    }
}
