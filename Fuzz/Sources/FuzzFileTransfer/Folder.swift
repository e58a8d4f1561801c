#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A folder with all that is in it, made anew and removed by hand: nothing here follows a link.
enum Folder {
    /// A thing in a folder.
    struct Thing: Equatable {
        var kind: mode_t
        /// What is in a file, or where a link leads.
        var content: [UInt8]
    }

    /// An empty folder of this process, below the one that FUZZ_FOLDER names.
    static func make() -> String {
        let parent = getenv("FUZZ_FOLDER").map { String(cString: $0) } ?? "/tmp"
        let path = "\(parent)/rtc-fuzz-files-\(getpid())"
        self.remove(path)
        guard mkdir(path, 0o700) == 0 else { fatalError("no folder \(path)") }
        return path
    }

    static func write(_ path: String, _ bytes: [UInt8]) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { return }
        defer { close(file) }
        guard Self.writeAll(bytes, to: file) == bytes.count else { fatalError("cannot write \(path)") }
    }

    /// All that is below a folder, by path.
    static func contents(_ root: String) -> [[UInt8]: Thing] {
        var things: [[UInt8]: Thing] = [:]
        var waiting: [[UInt8]] = [[]]
        while let folder = waiting.popLast() {
            for name in self.names(Array(root.utf8) + folder) {
                let path = folder + [0x2F] + name
                let thing = self.thing(Array(root.utf8) + path)
                things[path] = thing
                if thing.kind == S_IFDIR { waiting.append(path) }
            }
        }
        return things
    }

    static func remove(_ path: String) { self.remove(Array(path.utf8)) }

    private static func remove(_ path: [UInt8]) {
        guard let status = self.status(path), status.st_mode & S_IFMT == S_IFDIR else {
            unlink(self.cString(path))
            return
        }
        chmod(self.cString(path), 0o700)
        for name in self.names(path) { self.remove(path + [0x2F] + name) }
        rmdir(self.cString(path))
    }

    private static func thing(_ path: [UInt8]) -> Thing {
        guard let status = self.status(path) else { return Thing(kind: 0, content: []) }
        switch status.st_mode & S_IFMT {
        case S_IFLNK: return Thing(kind: S_IFLNK, content: self.fill { readlink(self.cString(path), $0, $1) })
        case S_IFREG:
            let file = open(self.cString(path), O_RDONLY | O_NOFOLLOW)
            defer { close(file) }
            return Thing(kind: S_IFREG, content: self.fill { read(file, $0, $1) })
        case let kind: return Thing(kind: kind, content: [])
        }
    }

    /// The beginning of what a system call gives.
    private static func fill(_ body: (UnsafeMutablePointer<CChar>, Int) -> Int) -> [UInt8] {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_096) { buffer in
            guard let base = buffer.baseAddress else { return [] }
            return buffer.prefix(max(0, body(base, buffer.count))).map(UInt8.init(bitPattern:))
        }
    }

    private static func status(_ path: [UInt8]) -> stat? {
        var status = stat()
        return lstat(self.cString(path), &status) == 0 ? status : nil
    }

    private static func names(_ folder: [UInt8]) -> [[UInt8]] {
        guard let stream = opendir(self.cString(folder)) else { return [] }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
        }
        return names
    }

    private static func cString(_ path: [UInt8]) -> [CChar] { path.map(CChar.init(bitPattern:)) + [0] }

    private static func writeAll(_ bytes: [UInt8], to file: CInt) -> Int {
        #if canImport(Darwin)
        Darwin.write(file, bytes, bytes.count)
        #elseif canImport(Musl)
        Musl.write(file, bytes, bytes.count)
        #else
        Glibc.write(file, bytes, bytes.count)
        #endif
    }
}
