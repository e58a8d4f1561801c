internal import CRTCFiles

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The system's calls on files, as far as they are used here, with problems in words for what they return.
package enum SystemCalls {
    /// Calls again when a signal interrupted it.
    @discardableResult
    static func call(_ body: () -> Int32) throws(FileTransferProblem) -> Int32 {
        while true {
            let result = body()
            if result >= 0 { return result }
            if errno != EINTR { throw FileTransferProblem(errno: errno) }
        }
    }

    /// The same for calls that return a size.
    static func size(_ body: () -> Int) throws(FileTransferProblem) -> Int {
        while true {
            let result = body()
            if result >= 0 { return result }
            if errno != EINTR { throw FileTransferProblem(errno: errno) }
        }
    }

    /// Opens a name in a folder.
    static func open(
        _ name: [UInt8],
        in folder: Int32,
        _ flags: Int32,
        mode: mode_t = 0
    ) throws(FileTransferProblem)
        -> Int32
    {
        let path = Self.terminated(name)
        return try Self.call { openat(folder, path, flags | O_CLOEXEC, mode) }
    }

    /// What a name in a folder is; nil if there is nothing of that name.
    static func status(_ name: [UInt8], in folder: Int32) throws(FileTransferProblem) -> stat? {
        let path = Self.terminated(name)
        var status = stat()
        if fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        guard errno == ENOENT else { throw FileTransferProblem(errno: errno) }
        return nil
    }

    /// What an open file is.
    static func status(of descriptor: Int32) throws(FileTransferProblem) -> stat {
        var status = stat()
        try Self.call { fstat(descriptor, &status) }
        return status
    }

    static func unlink(_ name: [UInt8], in folder: Int32) {
        _ = unlinkat(folder, Self.terminated(name), 0)
    }

    /// Writes all bytes at a place.
    static func write(
        _ bytes: UnsafeRawBufferPointer,
        to descriptor: Int32,
        at offset: UInt64
    )
        throws(FileTransferProblem)
    {
        Self.tell { .write(try? Self.status(of: descriptor).identity) }
        var written = 0
        while written < bytes.count, let base = bytes.baseAddress {
            written += try Self.size {
                pwrite(descriptor, base + written, bytes.count - written, off_t(offset) + off_t(written))
            }
        }
    }

    /// Reads until the buffer is full or the file ends.
    static func read(
        _ buffer: UnsafeMutableRawBufferPointer,
        from descriptor: Int32,
        at offset: UInt64
    )
        throws(FileTransferProblem) -> Int
    {
        var count = 0
        while count < buffer.count, let base = buffer.baseAddress {
            let part = try Self.size {
                pread(descriptor, base + count, buffer.count - count, off_t(offset) + off_t(count))
            }
            if part == 0 { break }
            count += part
        }
        return count
    }

    /// Waits until a file is on the disk, or the names in a folder.
    static func synchronize(_ descriptor: Int32) throws(FileTransferProblem) {
        Self.tell { .synchronize(try? Self.status(of: descriptor).identity) }
        try Self.call { crtc_sync_file(descriptor) }
    }

    /// Waits until all of the file system that a file is on has been written.
    static func synchronizeFileSystem(_ descriptor: Int32) throws(FileTransferProblem) {
        Self.tell { .synchronizeFileSystem }
        // One call for however many files, where one each would wait for the disk every time.
        try Self.call { crtc_sync_file_system(descriptor) }
    }

    /// Gives a file another name, in the place of what has that name.
    static func replace(
        _ newName: [UInt8],
        in newFolder: Int32,
        with name: [UInt8],
        in folder: Int32
    ) throws(FileTransferProblem) {
        let (from, to) = (Self.terminated(name), Self.terminated(newName))
        Self.tell { .name(newName, Self.identity(of: name, in: folder)) }
        try Self.call { renameat(folder, from, newFolder, to) }
    }

    /// Gives a file a second name unless there is something of that name, then takes the first away.
    ///
    /// - Returns: Nil where the file system has no links; false if there is something of that name.
    static func link(
        _ name: [UInt8],
        in folder: Int32,
        to newName: [UInt8],
        in newFolder: Int32
    ) throws(FileTransferProblem) -> Bool? {
        let (from, to) = (Self.terminated(name), Self.terminated(newName))
        Self.tell { .name(newName, Self.identity(of: name, in: folder)) }
        guard linkat(folder, from, newFolder, to, 0) == 0 else {
            switch errno {
            case EEXIST: return false
            case EPERM, EOPNOTSUPP, ENOSYS, EMLINK: return nil
            default: throw FileTransferProblem(errno: errno)
            }
        }
        Self.unlink(name, in: folder)
        return true
    }

    /// Gives a file another name unless there is something of that name; false if there is.
    package static func move(
        _ name: [UInt8],
        in folder: Int32,
        to newName: [UInt8],
        in newFolder: Int32
    )
        throws(FileTransferProblem) -> Bool
    {
        let (from, to) = (Self.terminated(name), Self.terminated(newName))
        Self.tell { .name(newName, Self.identity(of: name, in: folder)) }
        if crtc_rename_exclusively(folder, from, newFolder, to) == 0 { return true }
        switch errno {
        case EEXIST: return false
        case ENOSYS, EINVAL, EOPNOTSUPP: break
        default: throw FileTransferProblem(errno: errno)
        }
        // A file system that cannot do it in one step.
        guard try Self.status(newName, in: newFolder) == nil else { return false }
        try Self.call { renameat(folder, from, newFolder, to) }
        return true
    }

    /// Sets the permissions and the time of the last change.
    static func set(mode: UInt16, modified: FileTime, of descriptor: Int32) throws(FileTransferProblem) {
        try Self.call { fchmod(descriptor, mode_t(mode)) }
        let time = timespec(tv_sec: time_t(clamping: modified.seconds), tv_nsec: Int(modified.nanoseconds))
        try Self.call { futimens(descriptor, [time, time]) }
    }

    /// A name as C wants it.
    static func terminated(_ name: [UInt8]) -> [CChar] { name.map(CChar.init(bitPattern:)) + [0] }
}

extension FileTransferProblem {
    /// What an error number of the system means.
    init(errno number: Int32) {
        let kind: Kind =
            switch number {
            case EACCES, EPERM: .permissionDenied
            case ENOSPC, EDQUOT: .noSpace
            case ENOENT: .vanished
            case EEXIST: .exists
            case ENOTDIR, ELOOP, EISDIR, ENOTEMPTY: .inTheWay
            case ENAMETOOLONG, EILSEQ, EINVAL: .nameRefused
            case EIO: .inputOutput
            case EROFS: .readOnly
            default: .other
            }
        self.init(kind, String(cString: strerror(number)))
    }
}

/// Which file it is, whatever names it has.
package struct FileIdentity: Hashable, Sendable {
    var device: UInt64
    var number: UInt64
}

extension stat {
    var identity: FileIdentity {
        FileIdentity(device: UInt64(truncatingIfNeeded: self.st_dev), number: UInt64(truncatingIfNeeded: self.st_ino))
    }

    var isRegular: Bool { self.st_mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { self.st_mode & S_IFMT == S_IFDIR }
    var isLink: Bool { self.st_mode & S_IFMT == S_IFLNK }
    var permissions: UInt16 { UInt16(self.st_mode & 0o777) }

    var modified: FileTime { FileTime(self.modification) }
    var changed: FileTime { FileTime(self.statusChange) }

    #if canImport(Darwin)
    private var modification: timespec { self.st_mtimespec }
    private var statusChange: timespec { self.st_ctimespec }
    #else
    private var modification: timespec { self.st_mtim }
    private var statusChange: timespec { self.st_ctim }
    #endif
}

extension FileTime {
    init(_ time: timespec) { self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec)) }
}
