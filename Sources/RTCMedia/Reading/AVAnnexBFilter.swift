internal import CRTCAVFormat
internal import RTCMediaFiles
internal import RTCRTP

/// Turns the NAL units of MP4 and Matroska, which have lengths in front, into the form with start codes and parameter sets.
final class AVAnnexBFilter {
    private var context: UnsafeMutablePointer<AVBSFContext>?

    /// A filter for a stream; `nil` for codecs that need none.
    init?(_ stream: AVStream, format: PayloadFormat) throws(MediaFileError) {
        let name: String
        switch format {
        case .h264: name = "h264_mp4toannexb"
        case .h265: name = "hevc_mp4toannexb"
        case .opus, .pcmu, .pcma, .g722, .vp8, .vp9, .av1: return nil
        }
        guard let filter = av_bsf_get_by_name(name) else {
            throw MediaFileError(.unsupported, "the installed libavcodec has no \(name)")
        }
        try AVFailure.check(av_bsf_alloc(filter, &self.context), "filter a stream")
        let code = avcodec_parameters_copy(self.context?.pointee.par_in, stream.codecpar)
        try AVFailure.check(code, "filter a stream")
        self.context?.pointee.time_base_in = stream.time_base
        try AVFailure.check(av_bsf_init(self.context), "filter a stream")
    }

    deinit { av_bsf_free(&self.context) }

    /// Turns a packet, which is not empty, into the other form, in place; `false` if nothing comes of it.
    func apply(_ packet: UnsafeMutablePointer<AVPacket>) throws(MediaFileError) -> Bool {
        try AVFailure.check(av_bsf_send_packet(self.context, packet), "read NAL units")
        let code = av_bsf_receive_packet(self.context, packet)
        if code == crtc_av_error_again() { return false }
        try AVFailure.check(code, "read NAL units")
        return true
    }
}
