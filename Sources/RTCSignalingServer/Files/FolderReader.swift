import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Finds files of a folder, and none outside of it; the one place here that calls the system for files.
struct FolderReader: Sendable {
    /// A file as it was when it was found. It is opened anew for each piece: whoever takes files slowly holds no descriptors.
    struct File: Sendable {
        /// Changes whenever the file does.
        var tag: String
        var size: Int
        fileprivate var path: String
        fileprivate var inode: UInt64
    }

    let folder: String
    let maximumFileSize: Int

    /// Finds a file; blocks.
    ///
    /// - Parameter names: The way to it, each the name of something in a folder.
    /// - Returns: nil if it is not there, no file, too large, or outside of the folder.
    func find(_ names: [String]) -> File? {
        guard let root = Self.realPath(self.folder),
            let path = Self.realPath(([self.folder] + names).joined(separator: "/")),
            path.hasPrefix(root == "/" ? root : root + "/"),
            let file = File.withDescriptor(path, { File(path, $0) }), file.size <= self.maximumFileSize
        else { return nil }
        return file
    }

    /// A path without links and dots; nil if nothing is there.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

extension FolderReader.File {
    /// Reads a part; blocks.
    ///
    /// - Returns: nil if the file is not what it was when it was found.
    func read(_ offset: Int, _ count: Int) -> ByteBuffer? {
        Self.withDescriptor(self.path) { descriptor in
            guard let now = Self(self.path, descriptor), now.tag == self.tag, now.inode == self.inode else {
                return nil
            }
            var bytes = ByteBuffer()
            bytes.reserveCapacity(count)
            while bytes.readableBytes < count {
                let soFar = bytes.readableBytes
                let read = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count - soFar) { room in
                    max(0, pread(descriptor, room.baseAddress, count - soFar, off_t(offset + soFar)))
                }
                if read == 0 { return nil }
            }
            return bytes
        }
    }

    /// What an open file is; nil if it is none.
    fileprivate init?(_ path: String, _ descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let size = Int(exactly: status.st_size)
        else { return nil }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        let parts = [Int(time.tv_sec), Int(time.tv_nsec), size].map { String($0, radix: 16) }
        self.init(
            tag: "\"" + parts.joined(separator: "-") + "\"",
            size: size,
            path: path,
            inode: UInt64(status.st_ino)
        )
    }

    fileprivate static func withDescriptor<Result>(_ path: String, _ body: (Int32) -> Result?) -> Result? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return body(descriptor)
    }
}
