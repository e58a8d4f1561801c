internal import CRTCAVFormat
internal import RTCMediaFiles
internal import RTCRTP

extension CodecDescription {
    /// Hands the description to libavformat, which makes the container's own records of it.
    func write(to parameters: UnsafeMutablePointer<AVCodecParameters>) throws(MediaFileError) {
        parameters.pointee.codec_id = self.format.codecID
        switch self.format.kind {
        case .audio: self.writeSound(to: &parameters.pointee)
        case .video: self.writePictures(to: &parameters.pointee)
        }
        try self.writeConfiguration(to: &parameters.pointee)
    }

    private func writeSound(to parameters: inout AVCodecParameters) {
        parameters.codec_type = AVMEDIA_TYPE_AUDIO
        parameters.sample_rate = CInt(self.format.clockRate)
        av_channel_layout_default(&parameters.ch_layout, CInt(self.channelCount))
        guard self.format != .opus else {
            parameters.frame_size = 960
            return
        }
        parameters.bits_per_coded_sample = 8
        parameters.block_align = CInt(self.channelCount)
        parameters.bit_rate = Int64(64_000 * self.channelCount)
    }

    private func writePictures(to parameters: inout AVCodecParameters) {
        parameters.codec_type = AVMEDIA_TYPE_VIDEO
        parameters.width = CInt(clamping: self.size?.width ?? 0)
        parameters.height = CInt(clamping: self.size?.height ?? 0)
        if let profile { parameters.profile = CInt(clamping: profile) }
        if let level { parameters.level = CInt(clamping: level) }
        // Only VP9's record is made from the pixels' form, and its profile tells it well enough.
        guard self.format == .vp9 else { return }
        let form =
            switch self.profile {
            case 1: AV_PIX_FMT_YUV444P
            case 2: AV_PIX_FMT_YUV420P10LE
            case 3: AV_PIX_FMT_YUV444P10LE
            default: AV_PIX_FMT_YUV420P
            }
        parameters.format = CInt(form.rawValue)
    }

    private func writeConfiguration(to parameters: inout AVCodecParameters) throws(MediaFileError) {
        guard !self.configuration.isEmpty else { return }
        let padded = self.configuration.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)
        guard let copy = av_mallocz(padded) else { throw AVFailure.noMemory("describe a track") }
        copy.copyMemory(from: self.configuration, byteCount: self.configuration.count)
        parameters.extradata = copy.assumingMemoryBound(to: UInt8.self)
        parameters.extradata_size = CInt(clamping: self.configuration.count)
    }
}
