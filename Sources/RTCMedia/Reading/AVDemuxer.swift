internal import CRTCAVFormat
internal import NIOCore
internal import RTCMediaFiles

/// A file that FFmpeg's libavformat reads.
final class AVDemuxer {
    private var context: UnsafeMutablePointer<AVFormatContext>?
    private let packet: UnsafeMutablePointer<AVPacket>

    /// Opens a file and looks for its streams.
    init(path: String) throws(MediaFileError) {
        _ = AVLibrary.quieted
        guard let packet = av_packet_alloc() else { throw AVFailure.noMemory("read \(path)") }
        self.packet = packet
        let code = AVLibrary.withDictionary(Self.options) { options in
            avformat_open_input(&self.context, AVLibrary.url(path), nil, options)
        }
        try AVFailure.check(code, "open \(path)")
        try AVFailure.check(avformat_find_stream_info(self.context, nil), "find the streams of \(path)")
    }

    deinit {
        var packet: UnsafeMutablePointer<AVPacket>? = self.packet
        av_packet_free(&packet)
        avformat_close_input(&self.context)
    }

    /// A file may name neither other files nor hosts: playlists and the like are not read.
    private static let options = [
        "protocol_whitelist": "file",
        "format_whitelist": "matroska,webm,mov,mp4,ogg,ivf,wav,h264,hevc,obu,av1,mpegts,flv,avi",
    ]

    /// All streams, of whatever kind.
    var streams: [AVStream] {
        guard let context = self.context?.pointee else { return [] }
        return (0..<Int(context.nb_streams)).compactMap { context.streams[$0]?.pointee }
    }

    /// When the earliest stream begins, in nanoseconds.
    var startTime: Int64 {
        guard let start = self.context?.pointee.start_time, start != crtc_av_no_time() else { return 0 }
        return start.multipliedReportingOverflow(by: 1000).overflow ? 0 : start * 1000
    }

    /// The longest stream's length, in nanoseconds; `nil` where the file does not say.
    var duration: Int64? {
        guard let duration = self.context?.pointee.duration, duration != crtc_av_no_time(), duration >= 0,
            duration < .max / 1000
        else { return nil }
        return duration * 1000
    }

    /// Has a stream passed over.
    func discard(_ stream: Int) { self.context?.pointee.streams[stream]?.pointee.discard = AVDISCARD_ALL }

    /// Reads the next packet and lends it; `false` at the end.
    func next(_ body: (UnsafeMutablePointer<AVPacket>) throws(MediaFileError) -> Void) throws(MediaFileError) -> Bool {
        let code = av_read_frame(self.context, self.packet)
        if code == crtc_av_error_end_of_file() { return false }
        try AVFailure.check(code, "read a frame")
        defer { av_packet_unref(self.packet) }
        try body(self.packet)
        return true
    }
}
