internal import CRTCAVFormat
internal import RTCRTP

extension PayloadFormat {
    /// The codec's number in FFmpeg's libraries.
    var codecID: AVCodecID {
        switch self {
        case .opus: AV_CODEC_ID_OPUS
        case .pcmu: AV_CODEC_ID_PCM_MULAW
        case .pcma: AV_CODEC_ID_PCM_ALAW
        case .g722: AV_CODEC_ID_ADPCM_G722
        case .vp8: AV_CODEC_ID_VP8
        case .vp9: AV_CODEC_ID_VP9
        case .h264: AV_CODEC_ID_H264
        case .h265: AV_CODEC_ID_HEVC
        case .av1: AV_CODEC_ID_AV1
        }
    }

    /// The format of a stream; `nil` if RTP has no format for it.
    init?(_ parameters: AVCodecParameters) {
        guard let format = Self.allCases.first(where: { $0.codecID == parameters.codec_id }) else { return nil }
        let channels = parameters.ch_layout.nb_channels
        switch format {
        case .opus where !(1...2).contains(channels): return nil
        case .pcmu, .pcma: guard channels == 1, parameters.sample_rate == 8000 else { return nil }
        case .g722: return nil
        default: break
        }
        self = format
    }
}
