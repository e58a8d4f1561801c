internal import CRTCAVFormat
internal import NIOCore
internal import RTCMediaFiles
internal import RTCRTP

/// Makes frames of one stream's packets.
final class TrackSource {
    /// The track's place among those that are read.
    let index: Int
    let track: MediaFileTrack
    private let timeBase: AVRational
    private let filter: AVAnnexBFilter?
    /// What is zero, in nanoseconds of the file.
    private let origin: Int64
    private var nextTime: Int64 = 0

    private init(_ stream: AVStream, format: PayloadFormat, index: Int, origin: Int64) throws(MediaFileError) {
        self.index = index
        self.timeBase = stream.time_base
        self.origin = origin
        self.filter = try AVAnnexBFilter(stream, format: format)
        let parameters = stream.codecpar.pointee
        var track = MediaFileTrack(format: format, channelCount: Int(parameters.ch_layout.nb_channels))
        if format.kind == .video {
            track.size = PictureSize(width: Int(parameters.width), height: Int(parameters.height))
        }
        track.duration = Self.nanoseconds(stream.duration, stream.time_base).map { .nanoseconds($0) }
        self.track = track
    }

    /// The streams of a file that can be read, by their number there. The others are passed over from now on.
    static func all(of demuxer: AVDemuxer) throws(MediaFileError) -> [Int: TrackSource] {
        var sources: [Int: TrackSource] = [:]
        for (number, stream) in demuxer.streams.enumerated() {
            if let parameters = stream.codecpar?.pointee, let format = PayloadFormat(parameters) {
                let origin = demuxer.startTime
                sources[number] = try TrackSource(stream, format: format, index: sources.count, origin: origin)
            } else {
                demuxer.discard(number)
            }
        }
        return sources
    }

    /// The frames of a packet: one, but for G.711.
    func frames(
        _ packet: UnsafeMutablePointer<AVPacket>,
        limit: Int
    ) throws(MediaFileError) -> [MediaFileFrame] {
        // What is marked as corrupt is what was left of a frame that was cut off.
        guard packet.pointee.size > 0, packet.pointee.flags & AV_PKT_FLAG_CORRUPT == 0 else { return [] }
        if let filter, try !filter.apply(packet) { return [] }
        let size = Int(packet.pointee.size)
        guard size > 0, let data = packet.pointee.data else { return [] }
        guard size <= limit else { throw MediaFileError(.limitExceeded, "a frame of \(size) bytes") }
        let payload = ByteBuffer(bytes: UnsafeRawBufferPointer(start: data, count: size))
        let frame = self.frame(payload, packet.pointee)
        switch self.track.format {
        case .pcmu, .pcma: return Self.divided(frame)
        case .opus, .g722, .vp8, .vp9, .h264, .h265, .av1: return [frame]
        }
    }

    private func frame(_ payload: ByteBuffer, _ packet: AVPacket) -> MediaFileFrame {
        // Raw streams have packets without a time: they follow the one before.
        let decode = Self.nanoseconds(packet.dts, self.timeBase).map { $0 &- self.origin }
        let shown = Self.nanoseconds(packet.pts, self.timeBase).map { $0 &- self.origin } ?? decode ?? self.nextTime
        let length = packet.duration > 0 ? Self.nanoseconds(packet.duration, self.timeBase) : nil
        let time = Duration.nanoseconds(max(0, shown))
        self.nextTime = max(0, shown) &+ (length ?? 0)
        let frame = EncodedFrame(
            payload: payload,
            timestamp: time.rtpTimestamp(clockRate: self.track.format.clockRate),
            isKeyFrame: self.track.format.kind == .audio || packet.flags & AV_PKT_FLAG_KEY != 0
        )
        return MediaFileFrame(
            frame: frame,
            time: time,
            decodeTime: decode.map { .nanoseconds($0) },
            duration: length.map { .nanoseconds($0) },
            track: self.index
        )
    }

    /// Blocks of 20 ms of what may be one of any length.
    private static func divided(_ frame: MediaFileFrame) -> [MediaFileFrame] {
        var rest = frame.frame.payload
        var frames: [MediaFileFrame] = []
        var samples = 0
        while let block = rest.readSlice(length: min(160, rest.readableBytes)), block.readableBytes > 0 {
            var part = frame
            let offset = Duration.microseconds(125 * samples)
            part.frame.payload = block
            part.frame.timestamp &+= UInt32(truncatingIfNeeded: samples)
            part.time += offset
            part.decodeTime += offset
            part.duration = .microseconds(125 * block.readableBytes)
            frames.append(part)
            samples += block.readableBytes
        }
        return frames
    }

    private static func nanoseconds(_ time: Int64, _ base: AVRational) -> Int64? {
        guard time != crtc_av_no_time(), base.num > 0, base.den > 0 else { return nil }
        let scaled = av_rescale_q(time, base, AVLibrary.nanoseconds)
        // What does not fit is returned as the smallest number, too; half of the range leaves room to subtract.
        return scaled.magnitude < UInt64(Int64.max / 2) ? scaled : nil
    }
}
