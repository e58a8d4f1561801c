// What Swift's import of the C library lacks for files.
#ifndef CRTC_FILES_H
#define CRTC_FILES_H

#include <stdint.h>

/// The first data at or behind a place: -1 with errno ENXIO if there is none.
int64_t crtc_seek_data(int descriptor, int64_t offset);

/// The first hole at or behind a place; the end of the file counts as one.
int64_t crtc_seek_hole(int descriptor, int64_t offset);

/// Waits until all of the file system that the file is on has been written; 0 on success. Where no such call exists, until
/// the file has.
int crtc_sync_file_system(int descriptor);

#endif
