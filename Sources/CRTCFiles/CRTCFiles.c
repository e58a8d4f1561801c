#ifdef __linux__
#define _GNU_SOURCE
#endif
#include "CRTCFiles.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

int64_t crtc_seek_data(int descriptor, int64_t offset) { return (int64_t)lseek(descriptor, (off_t)offset, SEEK_DATA); }

int64_t crtc_seek_hole(int descriptor, int64_t offset) { return (int64_t)lseek(descriptor, (off_t)offset, SEEK_HOLE); }

int crtc_sync_file_system(int descriptor) {
#ifdef __linux__
    return syncfs(descriptor);
#else
    return crtc_sync_file(descriptor);
#endif
}

int crtc_sync_file(int descriptor) {
#ifdef __APPLE__
    // fsync leaves it in the drive's cache. Not every file system has the other.
    if (fcntl(descriptor, F_FULLFSYNC) == 0) return 0;
#endif
    return fsync(descriptor);
}

int crtc_rename_exclusively(int folder, const char *name, int newFolder, const char *newName) {
#ifdef __APPLE__
    return renameatx_np(folder, name, newFolder, newName, RENAME_EXCL);
#else
    // By its number: not every C library has a function for it. 1 is RENAME_NOREPLACE.
    return (int)syscall(SYS_renameat2, folder, name, newFolder, newName, 1u);
#endif
}
