import Foundation

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A folder for one test, removed with all that is in it.
final class Scratch {
    let path: String

    init() {
        let template = NSTemporaryDirectory() + "/rtc-files-XXXXXX"
        var bytes = template.utf8CString.map { $0 }
        self.path = bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, mkdtemp(base) != nil else { fatalError("no temporary folder") }
            return String(cString: base)
        }
    }

    deinit {
        // Folders that nobody may write to would stay.
        for (path, kind) in Tree.names(in: self.path) where kind == S_IFDIR {
            chmod((Array(self.path.utf8) + [0x2F] + path).map(CChar.init(bitPattern:)) + [0], 0o700)
        }
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// A folder in it.
    func folder(_ name: String) -> String {
        let path = "\(self.path)/\(name)"
        mkdir(path, 0o755)
        return path
    }

    /// Writes a file below it, and the folders above.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) -> String {
        let path = "\(self.path)/\(name)"
        let above = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
        Tree.write(Array(path.utf8), bytes, mode: mode)
        return path
    }

    func read(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(self.path)/\(name)").map(Array.init)
    }
}

/// Trees of files as values, by bytes.
enum Tree {
    struct Entry: Hashable {
        var kind: mode_t
        var mode: mode_t
        var seconds: Int
        var nanoseconds: Int
        var content: [UInt8]
    }

    /// What is below a folder: by path, without the folder itself.
    static func snapshot(_ root: String) -> [[UInt8]: Entry] {
        var entries: [[UInt8]: Entry] = [:]
        for (path, kind) in Self.names(in: root) {
            let full = (Array(root.utf8) + [0x2F] + path).map(CChar.init(bitPattern:)) + [0]
            var status = stat()
            guard lstat(full, &status) == 0 else { continue }
            #if canImport(Darwin)
            let time = status.st_mtimespec
            #else
            let time = status.st_mtim
            #endif
            entries[path] = Entry(
                kind: kind,
                mode: status.st_mode & 0o7777,
                seconds: time.tv_sec,
                nanoseconds: time.tv_nsec,
                content: kind == S_IFREG ? Self.read(full, size: Int(status.st_size)) : []
            )
        }
        return entries
    }

    /// The paths below a folder with their kinds.
    static func names(in root: String) -> [([UInt8], mode_t)] {
        var found: [([UInt8], mode_t)] = []
        var waiting: [[UInt8]] = [[]]
        while let folder = waiting.popLast() {
            let full = (Array(root.utf8) + [0x2F] + folder).map(CChar.init(bitPattern:)) + [0]
            guard let stream = opendir(full) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
                guard name != [0x2E], name != [0x2E, 0x2E] else { continue }
                let path = folder.isEmpty ? name : folder + [0x2F] + name
                var status = stat()
                lstat((Array(root.utf8) + [0x2F] + path).map(CChar.init(bitPattern:)) + [0], &status)
                let kind = status.st_mode & S_IFMT
                found.append((path, kind))
                if kind == S_IFDIR { waiting.append(path) }
            }
        }
        return found
    }

    static func write(_ path: [UInt8], _ bytes: [UInt8], mode: mode_t = 0o644) {
        let name = path.map(CChar.init(bitPattern:)) + [0]
        let descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(descriptor >= 0, "cannot write \(String(decoding: path, as: UTF8.self))")
        var offset = 0
        bytes.withUnsafeBytes { bytes in
            while offset < bytes.count, let base = bytes.baseAddress {
                offset += Self.writeSome(descriptor, base + offset, bytes.count - offset)
            }
        }
        fchmod(descriptor, mode)
        close(descriptor)
    }

    private static func writeSome(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Darwin)
        Darwin.write(descriptor, bytes, count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes, count)
        #else
        Glibc.write(descriptor, bytes, count)
        #endif
    }

    static func touch(_ path: String, seconds: Int, nanoseconds: Int) {
        let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
        utimensat(AT_FDCWD, path, [time, time], 0)
    }

    private static func read(_ path: [CChar], size: Int) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: size)
        var offset = 0
        bytes.withUnsafeMutableBytes { buffer in
            while offset < size, let base = buffer.baseAddress {
                let count = pread(descriptor, base + offset, size - offset, off_t(offset))
                if count <= 0 { break }
                offset += count
            }
        }
        return bytes
    }
}
