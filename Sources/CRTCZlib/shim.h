// zlib for Swift: its header, and raw streams, whose initialisers are macros there.
#ifndef CRTC_ZLIB_SHIM_H
#define CRTC_ZLIB_SHIM_H

#include <zlib.h>

// Z_OK or what went wrong. `bits` is the window's size as a power of two, 9 to 15.
static inline int crtc_deflate_init(z_stream *stream, int level, int bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, -bits, memory_level, Z_DEFAULT_STRATEGY);
}

// Z_OK or what went wrong. `bits` is the window's size as a power of two, 9 to 15.
static inline int crtc_inflate_init(z_stream *stream, int bits) {
    return inflateInit2(stream, -bits);
}

#endif
