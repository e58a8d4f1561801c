#ifndef CRTC_AVFORMAT_SHIM_H
#define CRTC_AVFORMAT_SHIM_H

#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>

// Swift does not see macros that compute.

static inline int crtc_av_error_end_of_file(void) { return AVERROR_EOF; }
static inline int crtc_av_error_again(void) { return AVERROR(EAGAIN); }
static inline int crtc_av_error_no_memory(void) { return AVERROR(ENOMEM); }

static inline int crtc_av_is_invalid_data(int code) {
    return code == AVERROR_INVALIDDATA;
}

static inline int crtc_av_is_unsupported(int code) {
    return code == AVERROR_DEMUXER_NOT_FOUND || code == AVERROR_MUXER_NOT_FOUND || code == AVERROR_BSF_NOT_FOUND ||
           code == AVERROR_PATCHWELCOME || code == AVERROR(ENOSYS);
}

static inline int64_t crtc_av_no_time(void) { return AV_NOPTS_VALUE; }

#endif
