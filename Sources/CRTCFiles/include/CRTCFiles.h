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

/// Waits until a file is on the disk, behind the drive's cache too; 0 on success.
int crtc_sync_file(int descriptor);

/// Gives a file another name in one step unless there is something of that name: -1 with errno EEXIST if there is, and ENOSYS,
/// EINVAL or EOPNOTSUPP where the system or the file system cannot do that.
int crtc_rename_exclusively(int folder, const char *name, int newFolder, const char *newName);

#endif
