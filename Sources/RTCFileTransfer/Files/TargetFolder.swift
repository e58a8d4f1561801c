#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The folder of the receiving side.
///
/// Every name is opened from the folder above it and no symbolic link is followed, so nothing that lies in the folder, and
/// nothing that is put there meanwhile, leads out of it. Files are made in a folder of their own and moved when they are complete.
package final class TargetFolder {
    /// What there is of a file already.
    package enum Examination {
        case nothing
        /// Its beginning, with what was noted of it.
        case part(ReadableFile, ChunkRuns, chunks: UInt64)
        /// A file of its name and size.
        case whole(ReadableFile)
        /// It cannot be written.
        case blocked(FileTransferProblem)
    }

    /// What is done with files that are there already.
    package let policy: ExistingFilePolicy
    private let root: Int32
    private let parts: Int32
    /// The folder that was used last: mostly the next name is in it too.
    private var recent: (names: [[UInt8]], descriptor: Int32)?

    /// Opens a folder, which is made if it is not there.
    ///
    /// - Throws: ``FileTransferProblem`` if there is none and none can be made, or another transfer writes there.
    package init(_ path: String, policy: ExistingFilePolicy) throws(FileTransferProblem) {
        self.policy = policy
        let name = Array(path.utf8)
        do throws(FileTransferProblem) {
            if mkdir(path, 0o777) != 0, errno != EEXIST { throw FileTransferProblem(errno: errno) }
            self.root = try SystemCalls.open(name, in: AT_FDCWD, O_RDONLY | O_DIRECTORY)
        } catch {
            throw FileTransferProblem(error.kind, "\(path): \(error.detail)")
        }
        do {
            self.parts = try Self.openParts(in: self.root)
        } catch {
            close(self.root)
            throw FileTransferProblem(error.kind, "\(path): \(error.detail)")
        }
    }

    deinit {
        if let recent = self.recent { close(recent.descriptor) }
        close(self.parts)
        close(self.root)
    }

    private static func openParts(in root: Int32) throws(FileTransferProblem) -> Int32 {
        let name = Array(TransferPath.partsFolder.utf8)
        if mkdirat(root, TransferPath.partsFolder, 0o700) != 0, errno != EEXIST {
            throw FileTransferProblem(errno: errno)
        }
        let parts = try SystemCalls.open(name, in: root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        guard flock(parts, LOCK_EX | LOCK_NB) == 0 else {
            close(parts)
            throw FileTransferProblem(.inTheWay, "another transfer writes to that folder")
        }
        return parts
    }

    // MARK: Before

    /// Looks what there is of a file.
    package func examine(_ entry: ManifestEntry) -> Examination {
        do {
            guard let folder = try self.folder(of: entry, makes: false) else { return self.examinePart(entry) }
            let name = try self.examinedName(entry, in: folder)
            guard let status = try SystemCalls.status(name, in: folder) else { return self.examinePart(entry) }
            guard status.isRegular else { return .blocked(FileTransferProblem(.inTheWay)) }
            guard UInt64(status.st_size) == entry.size else {
                return self.policy == .keep ? .blocked(FileTransferProblem(.exists)) : self.examinePart(entry)
            }
            let descriptor = try SystemCalls.open(name, in: folder, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            return .whole(try ReadableFile(descriptor: descriptor))
        } catch {
            return .blocked(error)
        }
    }

    private func examinePart(_ entry: ManifestEntry) -> Examination {
        guard entry.size > UInt64(HashTree.chunkSize), let notes = PartJournal.Reader(entry, in: self.parts),
            let descriptor = try? SystemCalls.open(
                PartJournal.names(of: entry).part,
                in: self.parts,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK
            ),
            let file = try? ReadableFile(descriptor: descriptor), file.isRegular
        else { return .nothing }
        // A part that ends in the middle of a chunk: that chunk is not noted.
        return .part(file, ChunkRuns { notes.next() }, chunks: file.size / UInt64(HashTree.chunkSize))
    }

    // MARK: Writing

    /// Makes a folder; one that is there already serves, and keeps its permissions and its time.
    package func makeFolder(_ entry: ManifestEntry) throws(FileTransferProblem) {
        let names = entry.path.names
        guard try self.open(names, makes: false) == nil else { return }
        // Noted before, so that a transfer that goes on with it later knows it as one of its own.
        let mark = PartJournal.names(of: entry).folder
        close(try SystemCalls.open(mark, in: self.parts, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600))
        do {
            _ = try self.open(names, makes: true)
        } catch {
            SystemCalls.unlink(mark, in: self.parts)
            throw error
        }
    }

    /// Begins to write a file, or goes on behind its first chunks.
    package func begin(_ entry: ManifestEntry, keeping chunks: UInt64) throws(FileTransferProblem) -> PartFile {
        try PartFile(entry, in: self.parts, keeping: chunks)
    }

    /// Moves a complete file to its place.
    package func place(_ part: PartFile) throws(FileTransferProblem) {
        let entry = part.entry
        guard let folder = try self.folder(of: entry, makes: true), let name = entry.path.names.last else { return }
        var replaces = false
        if self.policy == .overwrite { replaces = try SystemCalls.status(name, in: folder) != nil }
        try part.complete(synchronizes: replaces)
        switch self.policy {
        case .overwrite: try self.replace(name, in: folder, with: part)
        case .keep:
            guard try self.link(part, as: name, in: folder) else { throw FileTransferProblem(.exists) }
        case .rename:
            var number = 0
            while try !self.link(part, as: Self.numbered(name, number), in: folder) {
                number += 1
                guard number < 10_000 else { throw FileTransferProblem(.exists) }
            }
        }
        part.forget()
    }

    private func replace(_ name: [UInt8], in folder: Int32, with part: PartFile) throws(FileTransferProblem) {
        if let status = try SystemCalls.status(name, in: folder), !status.isRegular {
            throw FileTransferProblem(.inTheWay)
        }
        try SystemCalls.replace(name, in: folder, with: part.name, in: self.parts)
    }

    /// Gives a complete file its name unless there is something of that name; false if there is.
    private func link(_ part: PartFile, as name: [UInt8], in folder: Int32) throws(FileTransferProblem) -> Bool {
        // A link never replaces anything, whoever makes the name at the same moment.
        if let isPlaced = try SystemCalls.link(part.name, in: self.parts, to: name, in: folder) { return isPlaced }
        // A file system without links.
        return try SystemCalls.move(part.name, in: self.parts, to: name, in: folder)
    }

    // MARK: After

    /// Gives the folders that were made for it their permissions and times, the innermost first.
    package func finishFolders(_ entries: [ManifestEntry]) -> [(ManifestEntry, FileTransferProblem)] {
        var failures: [(ManifestEntry, FileTransferProblem)] = []
        for entry in entries.reversed() {
            let mark = PartJournal.names(of: entry).folder
            do {
                guard try SystemCalls.status(mark, in: self.parts) != nil else { continue }
                defer { SystemCalls.unlink(mark, in: self.parts) }
                guard let folder = try self.open(entry.path.names, makes: false) else { continue }
                try SystemCalls.set(mode: entry.mode, modified: entry.modified, of: folder)
            } catch {
                failures.append((entry, error))
            }
        }
        return failures
    }

    /// Waits until all is on the disk.
    package func synchronize() throws(FileTransferProblem) {
        try SystemCalls.synchronizeFileSystem(self.root)
    }

    /// Removes the folder of incomplete files unless something is in it.
    package func removeEmptyParts() { unlinkat(self.root, TransferPath.partsFolder, AT_REMOVEDIR) }

    // MARK: Names

    /// The folder that an entry is in; nil if it is not there.
    private func folder(of entry: ManifestEntry, makes: Bool) throws(FileTransferProblem) -> Int32? {
        try self.open(entry.path.names.dropLast(), makes: makes)
    }

    /// Opens a folder name by name, without following links; nil if it is not there and is not to be made.
    private func open(_ names: [[UInt8]], makes: Bool) throws(FileTransferProblem) -> Int32? {
        if names.isEmpty { return self.root }
        if let recent = self.recent, recent.names == names { return recent.descriptor }
        var start = 0
        var current = self.root
        if let recent = self.recent, names.starts(with: recent.names) {
            start = recent.names.count
            current = recent.descriptor
        }
        for name in names[start...] {
            let next: Int32?
            do {
                next = try self.step(name, in: current, makes: makes)
            } catch {
                if current != self.root, current != self.recent?.descriptor { close(current) }
                throw error
            }
            if current != self.root, current != self.recent?.descriptor { close(current) }
            guard let next else { return nil }
            current = next
        }
        if let recent = self.recent { close(recent.descriptor) }
        self.recent = (names, current)
        return current
    }

    private func step(_ name: [UInt8], in folder: Int32, makes: Bool) throws(FileTransferProblem) -> Int32? {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        do {
            return try SystemCalls.open(name, in: folder, flags)
        } catch {
            guard error.kind == .vanished else { throw error }
            guard makes else { return nil }
        }
        // Ours alone until it is complete.
        try SystemCalls.call { mkdirat(folder, SystemCalls.terminated(name), 0o700) }
        return try SystemCalls.open(name, in: folder, flags)
    }

    /// The name under which a file may be there already: with numbers, the last one.
    private func examinedName(_ entry: ManifestEntry, in folder: Int32) throws(FileTransferProblem) -> [UInt8] {
        let name = entry.path.names.last ?? []
        guard self.policy == .rename else { return name }
        var last = name
        for number in 1..<10_000 {
            let next = Self.numbered(name, number)
            guard try SystemCalls.status(next, in: folder) != nil else { break }
            last = next
        }
        return last
    }

    /// `name (1).txt`; zero is the name itself.
    private static func numbered(_ name: [UInt8], _ number: Int) -> [UInt8] {
        guard number > 0 else { return name }
        let suffix = Array(" (\(number))".utf8)
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return name + suffix }
        return name[..<dot] + suffix + name[dot...]
    }
}
