package import NIOCore
import RTCBase

/// The receiving side of a transfer: messages in, messages out, and files written in between. Like ``FileTransferSender`` in all else.
///
/// What arrives is checked chunk by chunk and noted, so that whatever moment it ends at, a later transfer of the same files to the same
/// folder goes on from there.
package final class FileTransferReceiver: TransferEngine {
    private enum Phase {
        case listing
        case examining(next: Int)
        case receiving
        case over
    }

    /// A file that is arriving.
    private enum Current {
        case none
        case writing(Int, PartFile)
        /// It failed here; what still comes of it is thrown away.
        case discarding(Int)
    }

    private struct Scan {
        var index: Int
        var scanner: ChunkScanner
        var kind: TransferFrame.Possession
    }

    /// How far it is.
    package private(set) var progress = FileTransferProgress()
    /// What was not transferred.
    package private(set) var failures: [FileTransferFailure] = []

    private let target: TargetFolder
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: HashTree.chunkSize, alignment: 4_096)
    private var manifest = Manifest()
    private var hasGreeted = false
    private var phase = Phase.listing
    private var packer = FramePacker()
    private var outputs = OutputQueue<TransferOutput>()
    private var scan: Scan?
    /// The beginnings of files that are there already.
    private var kept: [Int: HashTree] = [:]
    /// Files that were there already, and that the sender was told of.
    private var offered: Set<Int> = []
    /// What became of each file so far.
    private var isSettled: [Bool] = []
    private var current = Current.none
    private var reported = (bytes: UInt64(0), files: 0)

    package init(_ target: TargetFolder) {
        self.target = target
        self.packer.append(.hello(version: TransferFrame.version, chunkSize: UInt32(HashTree.chunkSize)))
    }

    deinit { self.buffer.deallocate() }

    /// Whether nothing follows.
    package var isOver: Bool {
        if case .over = self.phase { return true }
        return false
    }

    // MARK: In

    /// Takes a message of the sender.
    package func receive(_ message: ByteBuffer) {
        var message = message
        while message.readableBytes > 0, !self.isOver {
            do throws(FileTransferProblem) {
                guard let frame = TransferFrame(from: &message) else { throw FileTransferProblem(.protocolViolation) }
                try self.receive(frame)
            } catch {
                self.fail(error)
            }
        }
    }

    /// Ends it on this side.
    package func cancel() { self.fail(FileTransferProblem(.cancelled)) }

    private func receive(_ frame: TransferFrame) throws(FileTransferProblem) {
        switch (frame, self.phase) {
        case (.hello(let version, let chunkSize), .listing) where !self.hasGreeted:
            guard version == TransferFrame.version, chunkSize == UInt32(HashTree.chunkSize) else {
                throw FileTransferProblem(.version)
            }
            self.hasGreeted = true
        case (.failed(let problem), _):
            // What the reader of frames refuses is told to the other side.
            if problem.side == .local { throw problem }
            self.end(.failed(problem))
        case (.entry(let entry), .listing) where self.hasGreeted:
            guard self.manifest.append(entry) else {
                throw FileTransferProblem(.protocolViolation, "the list has \(entry.path) twice, or is too long")
            }
        case (.manifestEnd(let entries, let bytes), .listing) where self.hasGreeted:
            guard entries == self.manifest.entries.count, bytes == self.manifest.bytes else {
                throw FileTransferProblem(.protocolViolation, "the list is not complete")
            }
            self.begin()
        case (_, .receiving): try self.receiveContent(frame)
        default: throw FileTransferProblem(.protocolViolation)
        }
    }

    private func begin() {
        self.isSettled = self.manifest.entries.map { $0.kind == .directory }
        self.progress.totalBytes = self.manifest.bytes
        self.progress.totalFiles = self.manifest.files
        self.outputs.append(.listed(files: self.manifest.files, bytes: self.manifest.bytes))
        self.phase = .examining(next: 0)
    }

    private func receiveContent(_ frame: TransferFrame) throws(FileTransferProblem) {
        switch (frame, self.current) {
        case (.fileBegin(let index, let firstChunk), let current):
            // A file that failed here may not have been told to the end.
            if case .writing = current { throw FileTransferProblem(.protocolViolation) }
            try self.beginFile(self.unsettled(index), firstChunk)
        case (.chunk(let hash, let bytes), .writing(let index, let part)): try self.write(hash, bytes, index, part)
        case (.hole(let chunks), .writing(let index, let part)): try self.leaveHole(chunks, index, part)
        case (.fileEnd(let root), .writing(let index, let part)): try self.finishFile(root, index, part)
        case (.chunk, .discarding), (.hole, .discarding): break
        case (.fileEnd, .discarding): self.current = .none
        case (.fileSame(let index), .none), (.fileSame(let index), .discarding):
            self.current = .none
            let index = try self.unsettled(index)
            guard self.offered.contains(index) else { throw FileTransferProblem(.protocolViolation) }
            self.settle(index, bytes: self.manifest.entries[index].size)
        case (.fileAborted(let index, let problem), _): try self.abort(index, problem)
        case (.end, .none), (.end, .discarding): try self.finish()
        default: throw FileTransferProblem(.protocolViolation)
        }
    }

    // MARK: Files

    /// The entry that a frame names, which must be a file that nothing has become of yet.
    private func unsettled(_ index: UInt32) throws(FileTransferProblem) -> Int {
        guard index < self.isSettled.count, !self.isSettled[Int(index)] else {
            throw FileTransferProblem(.protocolViolation)
        }
        return Int(index)
    }

    private func beginFile(_ index: Int, _ firstChunk: UInt64) throws(FileTransferProblem) {
        let kept = self.kept.removeValue(forKey: index)
        guard firstChunk == 0 || firstChunk == kept?.count else { throw FileTransferProblem(.protocolViolation) }
        do {
            let part = try self.target.begin(self.manifest.entries[index], keeping: firstChunk)
            if firstChunk > 0, let kept {
                part.resume(kept)
                self.progress.bytes += min(
                    firstChunk * UInt64(HashTree.chunkSize),
                    self.manifest.entries[index].size
                )
            }
            self.current = .writing(index, part)
        } catch {
            try self.fileFailed(index, error)
            self.current = .discarding(index)
        }
    }

    private func write(
        _ hash: [UInt8],
        _ bytes: ByteBuffer,
        _ index: Int,
        _ part: PartFile
    )
        throws(FileTransferProblem)
    {
        let size = bytes.readableBytes
        guard size > 0, size == part.nextSize else { throw FileTransferProblem(.protocolViolation) }
        let problem: FileTransferProblem? = bytes.withUnsafeReadableBytes { bytes -> FileTransferProblem? in
            guard HashTree.leaf(bytes) == hash else { return FileTransferProblem(.corrupted) }
            do throws(FileTransferProblem) {
                try part.write(bytes, hash: hash)
                return nil
            } catch {
                return error
            }
        }
        if let problem { return try self.discard(index, part, problem) }
        self.progress.bytes += UInt64(size)
        self.reportProgress()
    }

    private func leaveHole(_ chunks: UInt64, _ index: Int, _ part: PartFile) throws(FileTransferProblem) {
        do throws(FileTransferProblem) {
            guard let size = try part.leaveHole(chunks: chunks) else { throw FileTransferProblem(.protocolViolation) }
            self.progress.bytes += size
        } catch {
            return try self.discard(index, part, error)
        }
        self.reportProgress()
    }

    private func finishFile(_ root: [UInt8], _ index: Int, _ part: PartFile) throws(FileTransferProblem) {
        guard part.isComplete else { throw FileTransferProblem(.protocolViolation) }
        self.current = .none
        guard part.tree.root(size: part.entry.size) == root else {
            part.discard()
            throw FileTransferProblem(.corrupted, part.entry.path.description)
        }
        do {
            try self.target.place(part)
            self.settle(index, bytes: 0)
        } catch {
            // Complete, and useless under no name.
            if !error.isFatal { part.discard() }
            try self.fileFailed(index, error)
        }
    }

    private func settle(_ index: Int, bytes: UInt64) {
        self.isSettled[index] = true
        self.progress.bytes += bytes
        self.progress.files += 1
        self.reportProgress()
    }

    /// The sender gives a file up.
    private func abort(_ number: UInt32, _ problem: FileTransferProblem) throws(FileTransferProblem) {
        let index: Int
        switch self.current {
        case .writing(let current, let part):
            index = current
            // Another state of the file: what is here of it is of no use.
            if problem.kind == .changed { part.discard() }
        case .discarding(let current) where current == Int(number):
            self.current = .none
            return
        case .discarding, .none: index = try self.unsettled(number)
        }
        guard index == Int(number) else { throw FileTransferProblem(.protocolViolation) }
        self.current = .none
        self.isSettled[index] = true
        // That there is another file here is this side's matter.
        self.note(index, problem.kind == .exists ? FileTransferProblem(.exists) : problem)
    }

    /// Goes on with the next file unless nothing can go on.
    private func discard(_ index: Int, _ part: PartFile, _ problem: FileTransferProblem) throws(FileTransferProblem) {
        try self.fileFailed(index, problem)
        part.discard()
        self.current = .discarding(index)
    }

    private func fileFailed(_ index: Int, _ problem: FileTransferProblem) throws(FileTransferProblem) {
        if problem.isFatal {
            let path = self.manifest.entries[index].path.description
            throw FileTransferProblem(problem.kind, problem.detail.isEmpty ? path : "\(path): \(problem.detail)")
        }
        self.isSettled[index] = true
        self.packer.append(.fileFailed(index: UInt32(index), problem))
        self.note(index, problem)
    }

    private func note(_ index: Int, _ problem: FileTransferProblem) {
        let path = self.manifest.entries[index].path.description
        let failure = FileTransferFailure(path: path, problem: problem)
        self.failures.append(failure)
        self.outputs.append(.failure(failure))
    }

    /// Tells the sender how far this side is, now and then.
    private func reportProgress() {
        guard self.progress.bytes - self.reported.bytes >= 2 << 20 || self.progress.files - self.reported.files >= 200
        else { return }
        self.reportProgressNow()
    }

    private func reportProgressNow() {
        self.reported = (self.progress.bytes, self.progress.files)
        self.packer.append(.progress(bytes: self.progress.bytes, files: UInt32(self.progress.files)))
    }

    private func finish() throws(FileTransferProblem) {
        guard self.isSettled.allSatisfy({ $0 }) else { throw FileTransferProblem(.protocolViolation) }
        self.progress.stage = .finishing
        let folders = self.manifest.entries.filter { $0.kind == .directory }
        for (entry, problem) in self.target.finishFolders(folders) {
            let failure = FileTransferFailure(path: entry.path.description, problem: problem)
            self.failures.append(failure)
            self.outputs.append(.failure(failure))
        }
        try self.target.synchronize()
        self.target.removeEmptyParts()
        self.reportProgressNow()
        self.packer.append(.complete(files: UInt32(self.progress.files), failed: UInt32(self.failures.count)))
        self.phase = .over
        self.outputs.append(.complete)
    }

    private func fail(_ problem: FileTransferProblem) {
        guard !self.isOver else { return }
        self.end(.failed(problem))
        self.packer.append(.failed(problem))
    }

    private func end(_ output: TransferOutput) {
        self.packer = FramePacker()
        self.phase = .over
        self.current = .none
        self.scan = nil
        self.outputs.append(output)
    }
}

// MARK: - Out

extension FileTransferReceiver {
    /// The next thing that it has to say; nil while it waits for the sender, or when all is over.
    package func poll() -> TransferOutput? {
        while true {
            // The last word goes before the end.
            if self.isOver, let message = self.packer.next(flush: true) { return .transmit(message) }
            if let output = self.outputs.popFirst() { return output }
            if case .examining(let next) = self.phase {
                if let message = self.packer.next(flush: false) { return .transmit(message) }
                if self.examine(from: next) { return .working }
            } else {
                return self.packer.next(flush: true).map { .transmit($0) }
            }
        }
    }

    /// Looks what there is of the files; true if it has hashed for a while.
    private func examine(from first: Int) -> Bool {
        do {
            if self.scan != nil {
                try self.advanceScan()
                return true
            }
        } catch {
            if let scan = self.scan { self.skip(scan.index, error) }
            self.scan = nil
            return false
        }
        var next = first
        while next < self.manifest.entries.count, self.scan == nil, !self.packer.isFull {
            self.examine(next)
            next += 1
        }
        self.phase = .examining(next: next)
        if next == self.manifest.entries.count, self.scan == nil {
            self.phase = .receiving
            self.progress.stage = .transferring
            self.makeFolders()
            self.packer.append(.start)
        }
        return false
    }

    private func examine(_ index: Int) {
        let entry = self.manifest.entries[index]
        guard entry.kind == .file else { return }
        switch self.target.examine(entry) {
        case .nothing: break
        case .blocked(let problem): self.skip(index, problem)
        case .part(let file, let runs, let chunks):
            guard chunks > 0 else { return }
            self.scan = Scan(
                index: index,
                scanner: ChunkScanner(file, chunks: chunks, expected: runs),
                kind: .partial
            )
        case .whole(let file):
            self.scan = Scan(
                index: index,
                scanner: ChunkScanner(file, chunks: HashTree.chunks(of: entry.size)),
                kind: self.target.policy == .keep ? .wholeOrNothing : .wholeOrAnew
            )
        }
    }

    private func advanceScan() throws(FileTransferProblem) {
        guard var scan = self.scan else { return }
        self.scan = nil
        let before = scan.scanner.tree.count
        do {
            try scan.scanner.advance(self.buffer)
        } catch {
            self.scan = scan
            throw error
        }
        let tree = scan.scanner.tree
        self.progress.comparedBytes += (tree.count - before) * UInt64(HashTree.chunkSize)
        guard scan.scanner.isFinished else {
            self.scan = scan
            return
        }
        let entry = self.manifest.entries[scan.index]
        if scan.kind == .partial {
            guard tree.count > 0 else { return }
            self.kept[scan.index] = tree
        } else {
            self.offered.insert(scan.index)
        }
        let root = tree.root(size: entry.size)
        self.packer.append(.have(index: UInt32(scan.index), scan.kind, chunks: tree.count, root: root))
    }

    private func skip(_ index: Int, _ problem: FileTransferProblem) {
        self.isSettled[index] = true
        self.packer.append(.skip(index: UInt32(index), problem))
        self.note(index, problem)
    }

    private func makeFolders() {
        for entry in self.manifest.entries where entry.kind == .directory {
            do {
                try self.target.makeFolder(entry)
            } catch {
                let failure = FileTransferFailure(path: entry.path.description, problem: error)
                self.failures.append(failure)
                self.outputs.append(.failure(failure))
            }
        }
    }
}
