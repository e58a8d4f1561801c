import NIOCore
import WebRTC

/// Messages whose content follows from their number, so that no two are alike and each can be checked.
enum EchoMessage {
    /// The message with that number: text if it is odd, bytes if it is even; exactly `size` bytes.
    static func make(number: Int, size: Int) -> RTCDataChannelMessage {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(size)
        if number.isMultiple(of: 2) {
            Self.fillBinary(&bytes, number: number, size: size)
            return RTCDataChannelMessage(kind: .binary, bytes: bytes)
        }
        Self.fillText(&bytes, number: number, size: size)
        return RTCDataChannelMessage(kind: .text, bytes: bytes)
    }

    /// Every value of a byte, from a start that follows from the number.
    private static func fillBinary(_ bytes: inout ByteBuffer, number: Int, size: Int) {
        withUnsafeBytes(of: UInt64(number).bigEndian) { _ = bytes.writeBytes($0.prefix(size)) }
        let start = bytes.readableBytes
        // Repeats after 256 bytes: large messages are written a block at a time.
        let block = (0..<256).map { UInt8(truncatingIfNeeded: (start + $0) &* 31 &+ number) }
        while bytes.readableBytes < size { bytes.writeBytes(block.prefix(size - bytes.readableBytes)) }
    }

    /// The number, then characters of one to four bytes each; the last ones fill up to the size.
    private static func fillText(_ bytes: inout ByteBuffer, number: Int, size: Int) {
        bytes.writeBytes("\(number) ".utf8.prefix(size))
        let characters = ["a", "ß", "€", "𝄞"]
        let run = (0..<4).map { characters[(number + $0) & 3] }.joined()
        let block = String(repeating: run, count: 256)
        while bytes.readableBytes + block.utf8.count <= size { bytes.writeString(block) }
        var index = number
        while bytes.readableBytes < size {
            let character = characters[index & 3]
            if bytes.readableBytes + character.utf8.count <= size {
                bytes.writeString(character)
            } else {
                bytes.writeString("-")
            }
            index += 1
        }
    }
}
