import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Reads files of a folder, and none outside of it; the one place here that calls the system for files.
struct FolderReader: Sendable {
    struct File: Sendable {
        /// Changes whenever the file does.
        var tag: String
        /// nil if the client has them.
        var bytes: ByteBuffer?
    }

    let folder: String
    let maximumFileSize: Int

    /// Reads a file; blocks.
    ///
    /// - Parameters:
    ///   - names: The way to it, each the name of something in a folder.
    ///   - isKnown: Whether the client has what a tag names.
    /// - Returns: nil if it is not there, no file, too large, or outside of the folder.
    func read(_ names: [String], isKnown: (String) -> Bool) -> File? {
        guard let root = Self.realPath(self.folder),
            let path = Self.realPath(([self.folder] + names).joined(separator: "/")),
            path.hasPrefix(root == "/" ? root : root + "/")
        else { return nil }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let size = Int(exactly: status.st_size), size <= self.maximumFileSize
        else { return nil }
        let tag = Self.tag(status)
        guard !isKnown(tag) else { return File(tag: tag) }
        guard let bytes = Self.read(descriptor, size) else { return nil }
        return File(tag: tag, bytes: bytes)
    }

    private static func read(_ descriptor: Int32, _ size: Int) -> ByteBuffer? {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(size)
        while bytes.readableBytes < size {
            var isOver = false
            let missing = size - bytes.readableBytes
            bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { room in
                let count = pread(descriptor, room.baseAddress, missing, off_t(size - missing))
                isOver = count <= 0
                return max(0, count)
            }
            // A file that became shorter meanwhile is not what its size says.
            if isOver { return nil }
        }
        return bytes
    }

    private static func tag(_ status: stat) -> String {
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        let parts = [Int(time.tv_sec), Int(time.tv_nsec), Int(status.st_size)].map { String($0, radix: 16) }
        return "\"" + parts.joined(separator: "-") + "\""
    }

    /// A path without links and dots; nil if nothing is there.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
