internal import CRTCAVFormat
internal import NIOCore
internal import RTCMediaFiles
internal import RTCRTP

/// A file that FFmpeg's libavformat writes.
final class AVMuxer {
    /// A frame with its times in nanoseconds.
    struct Packet {
        var payload: ByteBuffer
        var isKeyFrame: Bool
        var stream: Int
        var time: Int64
        var decodeTime: Int64
        var duration: Int64
    }

    private let context: UnsafeMutablePointer<AVFormatContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    private var lastDecodeTimes: [Int64] = []
    private var hasHeader = false

    /// Makes the file.
    init(path: String, container: MediaContainer) throws(MediaFileError) {
        _ = AVLibrary.quieted
        var made: UnsafeMutablePointer<AVFormatContext>?
        let url = AVLibrary.url(path)
        try AVFailure.check(avformat_alloc_output_context2(&made, nil, container.muxer, url), "write \(container)")
        guard let context = made, let packet = av_packet_alloc() else { throw AVFailure.noMemory("write \(path)") }
        self.context = context
        self.packet = packet
        try AVFailure.check(avio_open(&context.pointee.pb, url, AVIO_FLAG_WRITE), "create \(path)")
    }

    deinit {
        var packet: UnsafeMutablePointer<AVPacket>? = self.packet
        av_packet_free(&packet)
        avio_closep(&self.context.pointee.pb)
        avformat_free_context(self.context)
    }

    /// Adds a track, before the header; they count from 0.
    func addStream(_ description: CodecDescription) throws(MediaFileError) {
        guard let stream = avformat_new_stream(self.context, nil) else { throw AVFailure.noMemory("add a track") }
        stream.pointee.time_base = AVRational(num: 1, den: CInt(description.format.clockRate))
        try description.write(to: stream.pointee.codecpar)
        self.lastDecodeTimes.append(.min)
    }

    /// Writes what comes before the first frame.
    func writeHeader(_ options: [String: String]) throws(MediaFileError) {
        self.context.pointee.flush_packets = 1
        // Packets of a track that falls silent are not waited for longer than half a second.
        self.context.pointee.max_interleave_delta = 500_000
        self.context.pointee.avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED
        let code = AVLibrary.withDictionary(options) { avformat_write_header(self.context, $0) }
        try AVFailure.check(code, "write the header")
        self.hasHeader = true
    }

    /// Writes a frame.
    func write(_ frame: Packet) throws(MediaFileError) {
        guard let stream = self.context.pointee.streams[frame.stream] else { return }
        let size = CInt(clamping: frame.payload.readableBytes)
        try AVFailure.check(av_new_packet(self.packet, size), "write a frame")
        frame.payload.withUnsafeReadableBytes { bytes in
            UnsafeMutableRawBufferPointer(start: self.packet.pointee.data, count: bytes.count).copyMemory(from: bytes)
        }
        self.packet.pointee.stream_index = CInt(clamping: frame.stream)
        self.packet.pointee.flags = frame.isKeyFrame ? AV_PKT_FLAG_KEY : 0
        self.packet.pointee.pts = frame.time
        self.packet.pointee.dts = frame.decodeTime
        self.packet.pointee.duration = frame.duration
        av_packet_rescale_ts(self.packet, AVLibrary.nanoseconds, stream.pointee.time_base)
        self.makeIncreasing(frame.stream)
        try AVFailure.check(av_interleaved_write_frame(self.context, self.packet), "write a frame")
    }

    /// Two frames that the file's clock cannot tell apart would be refused.
    private func makeIncreasing(_ stream: Int) {
        let last = self.lastDecodeTimes[stream]
        if last != .min, self.packet.pointee.dts <= last { self.packet.pointee.dts = last + 1 }
        self.packet.pointee.pts = max(self.packet.pointee.pts, self.packet.pointee.dts)
        self.lastDecodeTimes[stream] = self.packet.pointee.dts
    }

    /// Writes what waits for packets of other tracks.
    func flush() throws(MediaFileError) {
        guard self.hasHeader else { return }
        try AVFailure.check(av_interleaved_write_frame(self.context, nil), "write frames")
        try AVFailure.check(av_write_frame(self.context, nil), "write frames")
        avio_flush(self.context.pointee.pb)
    }

    /// Writes the end of the file and closes it.
    func close() throws(MediaFileError) {
        if self.hasHeader { try AVFailure.check(av_write_trailer(self.context), "write the end") }
        self.hasHeader = false
        try AVFailure.check(avio_closep(&self.context.pointee.pb), "close the file")
    }
}
