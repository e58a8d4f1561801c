internal import NIOCore
internal import RTCBase

extension AnnexBCodec {
    /// The codec that a file's name tells; `nil` if it tells none.
    init?(fileName: String) {
        guard let dot = fileName.lastIndex(of: ".") else { return nil }
        switch fileName[fileName.index(after: dot)...].lowercased() {
        case "264", "h264", "avc": self = .h264
        case "265", "h265", "hevc": self = .h265
        default: return nil
        }
    }

    /// The codec whose streams begin like this: with a delimiter or with parameter sets. `nil` for other bytes.
    init?(start: ByteBuffer) {
        var bytes = start
        let zeros = start.readableBytesView.prefix { $0 == 0 }.count
        bytes.moveReaderIndex(forwardBy: zeros)
        guard zeros >= 2, bytes.readInteger(as: UInt8.self) == 1,
            let first = bytes.readInteger(as: UInt8.self), let second = bytes.readInteger(as: UInt8.self)
        else { return nil }
        // H.265: video parameter set and delimiter of the base layer, temporal layer 0. H.264: SEI and delimiter, which no
        // picture refers to, and sequence parameter sets of any importance.
        if second == 1 && (first == 32 << 1 || first == 35 << 1) {
            self = .h265
        } else if [0x06, 0x09, 0x27, 0x47, 0x67].contains(first) {
            self = .h264
        } else {
            return nil
        }
    }
}
