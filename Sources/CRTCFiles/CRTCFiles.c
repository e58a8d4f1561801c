#ifdef __linux__
#define _GNU_SOURCE
#endif
#include "CRTCFiles.h"

#include <unistd.h>

int64_t crtc_seek_data(int descriptor, int64_t offset) { return (int64_t)lseek(descriptor, (off_t)offset, SEEK_DATA); }

int64_t crtc_seek_hole(int descriptor, int64_t offset) { return (int64_t)lseek(descriptor, (off_t)offset, SEEK_HOLE); }

int crtc_sync_file_system(int descriptor) {
#ifdef __linux__
    return syncfs(descriptor);
#else
    return fsync(descriptor);
#endif
}
