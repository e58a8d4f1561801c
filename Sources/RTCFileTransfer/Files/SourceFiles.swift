#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The files of the sending side: what is to be sent, and where it lies.
package final class SourceFiles {
    /// What is to be sent.
    package private(set) var manifest = Manifest()
    /// What is left out, and why.
    package private(set) var failures: [FileTransferFailure] = []
    /// Symbolic links, devices and the like, which are not transferred.
    package private(set) var skipped: [String] = []
    /// Where a file lies, and which one it is.
    private struct Location {
        var path: [UInt8]
        var identity: FileIdentity
    }

    /// Where each entry lies.
    private var locations: [Location] = []

    /// Looks at files and folders, and at all that is in the folders.
    ///
    /// A path that is itself a symbolic link is followed, since it was named; links inside folders are left out.
    ///
    /// - Throws: ``FileTransferProblem`` if one of the paths cannot be read at all, or two have the same last name.
    package init(_ paths: [String]) throws(FileTransferProblem) {
        for path in paths { try self.add(path) }
    }

    /// Opens the file of an entry, which must still be the one that was listed.
    package func open(_ index: Int) throws(FileTransferProblem) -> ReadableFile {
        let entry = self.manifest.entries[index]
        // A pipe that took the file's place must not make us wait.
        let location = self.locations[index]
        let descriptor = try SystemCalls.open(location.path, in: AT_FDCWD, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let file = try ReadableFile(descriptor: descriptor)
        // Another file may have its place, and its size and time too.
        guard file.isRegular, file.identity == location.identity, file.size == entry.size,
            file.modified == entry.modified
        else {
            throw FileTransferProblem(.changed)
        }
        return file
    }

    // MARK: Looking

    private func add(_ path: String) throws(FileTransferProblem) {
        let real: [UInt8]
        do {
            real = try Self.realPath(path)
        } catch {
            throw FileTransferProblem(error.kind, "\(path): \(error.detail)")
        }
        // What was named, not what a link of that name leads to.
        var name = path.split(separator: "/").last.map { Array($0.utf8) } ?? []
        if TransferPath(name) == nil { name = Array(real.split(separator: UInt8(ascii: "/")).last ?? []) }
        guard !real.isEmpty, TransferPath(name) != nil else {
            throw FileTransferProblem(.nameRefused, "\(path) has no name to send it under")
        }
        guard let status = try SystemCalls.status(real, in: AT_FDCWD) else {
            throw FileTransferProblem(.vanished, path)
        }
        guard status.isRegular || status.isDirectory else { throw FileTransferProblem(.notAFile, path) }
        if status.isRegular, access(SystemCalls.terminated(real), R_OK) != 0 {
            throw FileTransferProblem(.permissionDenied, path)
        }
        guard self.add(status, location: real, path: name) else {
            throw FileTransferProblem(.exists, "two of the things to send are called \(path)")
        }
        if status.isDirectory { self.addContents(of: real, path: name) }
    }

    /// Adds an entry; false if there is one of that path already.
    private func add(_ status: stat, location: [UInt8], path: [UInt8]) -> Bool {
        guard let checked = TransferPath(path) else {
            self.failures.append(Self.failure(path, FileTransferProblem(.nameRefused)))
            return true
        }
        let entry = ManifestEntry(
            kind: status.isDirectory ? .directory : .file,
            path: checked,
            mode: status.permissions,
            modified: status.modified,
            size: status.isDirectory ? 0 : UInt64(max(0, status.st_size))
        )
        guard self.manifest.append(entry) else { return false }
        self.locations.append(Location(path: location, identity: status.identity))
        return true
    }

    /// Adds what is in a folder, in the order of the names' bytes.
    private func addContents(of location: [UInt8], path: [UInt8]) {
        // Each folder waits until those before it are done, so that depth costs no stack.
        var waiting: [(location: [UInt8], path: [UInt8])] = [(location, path)]
        while let (location, path) = waiting.popLast() {
            do {
                var folders: [(location: [UInt8], path: [UInt8])] = []
                for name in try Self.names(in: location) {
                    let inside = (
                        location: location + [UInt8(ascii: "/")] + name, path: path + [UInt8(ascii: "/")] + name
                    )
                    if self.addName(inside.location, inside.path) { folders.append(inside) }
                }
                waiting += folders.reversed()
            } catch {
                self.failures.append(Self.failure(path, error))
            }
        }
    }

    /// Adds one thing in a folder; true if it is a folder itself.
    private func addName(_ location: [UInt8], _ path: [UInt8]) -> Bool {
        do {
            guard let status = try SystemCalls.status(location, in: AT_FDCWD) else { return false }
            guard status.isRegular || status.isDirectory else {
                self.skipped.append(TransferPath(path)?.description ?? "?")
                return false
            }
            let isAdded = self.add(status, location: location, path: path)
            if !isAdded { self.failures.append(Self.failure(path, FileTransferProblem(.tooMuch))) }
            return isAdded && status.isDirectory
        } catch {
            self.failures.append(Self.failure(path, error))
            return false
        }
    }

    private static func failure(_ path: [UInt8], _ problem: FileTransferProblem) -> FileTransferFailure {
        FileTransferFailure(path: TransferPath.printable(String(decoding: path, as: UTF8.self)), problem: problem)
    }

    private static func names(in folder: [UInt8]) throws(FileTransferProblem) -> [[UInt8]] {
        guard let stream = opendir(SystemCalls.terminated(folder)) else { throw FileTransferProblem(errno: errno) }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] { names.append(name) }
        }
        if errno != 0 { throw FileTransferProblem(errno: errno) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func realPath(_ path: String) throws(FileTransferProblem) -> [UInt8] {
        guard let resolved = realpath(path, nil) else { throw FileTransferProblem(errno: errno) }
        defer { free(resolved) }
        return Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }
}
