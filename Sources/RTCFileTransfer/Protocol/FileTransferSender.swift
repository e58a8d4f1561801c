package import NIOCore
import RTCBase

/// The sending side of a transfer: messages in, messages out, and files read in between. It has no timers: whoever carries the
/// messages finds out when the other side is gone.
///
/// The list of files and the files themselves are sent without waiting for anything but the receiver's list of what it has.
/// Confined to its owner, who calls ``poll()`` until nil, after each message and whenever the way is free again.
package final class FileTransferSender: TransferEngine {
    private enum Phase {
        case listing(next: Int)
        case awaitingStart
        case sending
        case awaitingCompletion
        case over
    }

    /// What the receiver has of a file.
    private struct Possession {
        var kind: TransferFrame.Possession
        var chunks: UInt64
        var root: [UInt8]
    }

    /// A file that is being sent, or compared first.
    private struct Current {
        var index: Int
        var file: ReadableFile
        var tree = HashTree()
        var comparison: (scanner: ChunkScanner, with: Possession)?

        /// Adds a hole to the hash; one that reaches the end of the file may have a last chunk that is shorter.
        mutating func appendZeros(_ chunks: UInt64) {
            let size = UInt64(HashTree.chunkSize)
            let end = (self.tree.count + chunks) * size
            guard end > self.file.size else { return self.tree.appendZeros(chunks: chunks) }
            self.tree.appendZeros(chunks: chunks - 1)
            self.tree.append(HashTree.zeros(count: Int(self.file.size % size)))
        }
    }

    /// How far it is, as the receiver says.
    package private(set) var progress = FileTransferProgress()
    /// What was not transferred.
    package private(set) var failures: [FileTransferFailure] = []

    private let source: SourceFiles
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: HashTree.chunkSize, alignment: 4_096)
    private var phase = Phase.listing(next: 0)
    private var packer = FramePacker()
    private var outputs = OutputQueue<TransferOutput>()
    private var possessions: [Int: Possession] = [:]
    /// What is not sent, or not to its end.
    private var isLeftOut: Set<Int> = []
    private var current: Current?
    private var next = 0

    package init(_ source: SourceFiles) {
        self.source = source
        self.failures = source.failures
        self.progress.totalBytes = source.manifest.bytes
        self.progress.totalFiles = source.manifest.files
        self.packer.append(.hello(version: TransferFrame.version, chunkSize: UInt32(HashTree.chunkSize)))
    }

    deinit { self.buffer.deallocate() }

    /// Whether nothing follows.
    package var isOver: Bool {
        if case .over = self.phase { return true }
        return false
    }

    // MARK: In

    /// Takes a message of the receiver.
    package func receive(_ message: ByteBuffer) {
        var message = message
        while message.readableBytes > 0, !self.isOver {
            guard let frame = TransferFrame(from: &message) else {
                return self.fail(FileTransferProblem(.protocolViolation))
            }
            self.receive(frame)
        }
    }

    /// Ends it on this side.
    package func cancel() { self.fail(FileTransferProblem(.cancelled)) }

    private func receive(_ frame: TransferFrame) {
        let entries = self.source.manifest.entries
        switch (frame, self.phase) {
        case (.hello(TransferFrame.version, _), _): break
        case (.hello, _): self.fail(FileTransferProblem(.version))
        case (.failed(let problem), _): self.end(.failed(problem))
        case (.have(let index, let kind, let chunks, let root), .awaitingStart) where index < entries.count:
            self.possessions[Int(index)] = Possession(kind: kind, chunks: chunks, root: root)
        case (.skip(let index, let problem), .awaitingStart) where index < entries.count:
            self.note(Int(index), problem)
        case (.start, .awaitingStart):
            self.progress.stage = .transferring
            self.phase = .sending
        case (.progress(let bytes, let files), _):
            self.progress.bytes = min(bytes, self.progress.totalBytes)
            self.progress.files = min(Int(files), self.progress.totalFiles)
        case (.fileFailed(let index, let problem), _) where index < entries.count:
            self.note(Int(index), problem)
            // The rest of it would be thrown away.
            if self.current?.index == Int(index) { self.current = nil }
        case (.complete, .awaitingCompletion): self.end(.complete)
        default: self.fail(FileTransferProblem(.protocolViolation))
        }
    }

    // MARK: Out

    /// The next thing that it has to say; nil while it waits for the receiver, or when all is over.
    package func poll() -> TransferOutput? {
        while true {
            // The last word goes before the end.
            if self.isOver, let message = self.packer.next(flush: true) { return .transmit(message) }
            if let output = self.outputs.popFirst() { return output }
            if let message = self.packer.next(flush: false) { return .transmit(message) }
            switch self.phase {
            case .listing(let next): self.list(from: next)
            case .sending:
                if self.send() { return .working }
            case .awaitingStart, .awaitingCompletion, .over:
                return self.packer.next(flush: true).map { .transmit($0) }
            }
        }
    }

    private func list(from first: Int) {
        let manifest = self.source.manifest
        var next = first
        while next < manifest.entries.count, !self.packer.isFull {
            self.packer.append(.entry(manifest.entries[next]))
            next += 1
        }
        self.phase = .listing(next: next)
        guard next == manifest.entries.count else { return }
        self.packer.append(.manifestEnd(entries: UInt32(manifest.entries.count), bytes: manifest.bytes))
        self.outputs.append(.listed(files: manifest.files, bytes: manifest.bytes))
        self.phase = .awaitingStart
    }

    /// Goes on with files until a message is full; true if it compared for a while instead.
    private func send() -> Bool {
        while !self.packer.isFull, self.outputs.isEmpty {
            if self.current == nil { self.openNext() }
            guard let current = self.current else {
                if case .sending = self.phase { continue }
                return false
            }
            do {
                if current.comparison != nil {
                    try self.compare()
                    return true
                }
                try self.sendNextChunk()
            } catch {
                self.abort(error)
            }
        }
        return false
    }

    private func openNext() {
        let entries = self.source.manifest.entries
        while self.next < entries.count, entries[self.next].kind != .file || self.isLeftOut.contains(self.next) {
            self.next += 1
        }
        guard self.next < entries.count else {
            self.packer.append(.end)
            self.progress.stage = .finishing
            self.phase = .awaitingCompletion
            return
        }
        let index = self.next
        self.next += 1
        do {
            var current = Current(index: index, file: try self.source.open(index))
            if let possession = self.possessions.removeValue(forKey: index) {
                let scanner = ChunkScanner(current.file, chunks: possession.chunks)
                current.comparison = (scanner, possession)
            } else {
                self.packer.append(.fileBegin(index: UInt32(index), firstChunk: 0))
            }
            self.current = current
        } catch {
            self.packer.append(.fileAborted(index: UInt32(index), error))
            self.note(index, error)
        }
    }

    /// Compares the beginning of the file with what the receiver has.
    private func compare() throws(FileTransferProblem) {
        guard var current = self.current, let (started, possession) = current.comparison else { return }
        var scanner = started
        let before = scanner.tree.count
        try scanner.advance(self.buffer)
        self.progress.comparedBytes += (scanner.tree.count - before) * UInt64(HashTree.chunkSize)
        guard scanner.isFinished else {
            current.comparison = (scanner, possession)
            self.current = current
            return
        }
        current.comparison = nil
        let isSame =
            scanner.tree.count == possession.chunks
            && scanner.tree.root(size: current.file.size) == possession.root
        let isWhole = possession.chunks == HashTree.chunks(of: current.file.size)
        self.current = current
        switch possession.kind {
        case .partial:
            if isSame { self.current?.tree = scanner.tree }
            let first = isSame ? possession.chunks : 0
            self.packer.append(.fileBegin(index: UInt32(current.index), firstChunk: first))
        case .wholeOrNothing, .wholeOrAnew:
            if isSame, isWhole {
                self.packer.append(.fileSame(index: UInt32(current.index)))
                self.current = nil
            } else if possession.kind == .wholeOrAnew {
                self.packer.append(.fileBegin(index: UInt32(current.index), firstChunk: 0))
            } else {
                throw FileTransferProblem(.exists, side: .remote)
            }
        }
    }

    private func sendNextChunk() throws(FileTransferProblem) {
        guard let current = self.current else { return }
        let file = current.file
        let chunk = current.tree.count
        guard chunk < HashTree.chunks(of: file.size) else { return try self.finishFile() }
        switch try file.read(chunk: chunk, into: self.buffer) {
        case .hole(let chunks):
            self.current?.appendZeros(chunks)
            self.packer.append(.hole(chunks: chunks))
        case .bytes(let count):
            let expected = min(UInt64(HashTree.chunkSize), file.size - chunk * UInt64(HashTree.chunkSize))
            guard count == Int(expected) else { throw FileTransferProblem(.changed) }
            let bytes = UnsafeRawBufferPointer(rebasing: self.buffer[..<count])
            let hash = HashTree.leaf(bytes)
            self.current?.tree.append(hash)
            self.packer.appendChunk(hash: hash, bytes)
        }
        // The end goes into the same message.
        if chunk + 1 == HashTree.chunks(of: file.size) { try self.finishFile() }
    }

    private func finishFile() throws(FileTransferProblem) {
        guard let current = self.current else { return }
        guard current.file.isUnchanged() else { throw FileTransferProblem(.changed) }
        self.packer.append(.fileEnd(root: current.tree.root(size: current.file.size)))
        self.current = nil
    }

    // MARK: Problems

    private func abort(_ problem: FileTransferProblem) {
        guard let current = self.current else { return }
        self.current = nil
        self.packer.append(.fileAborted(index: UInt32(current.index), problem))
        self.note(current.index, problem)
    }

    /// Notes the first problem of a file. Both sides may find one at the same time, and the other side may say so over and over.
    private func note(_ index: Int, _ problem: FileTransferProblem) {
        guard self.isLeftOut.insert(index).inserted else { return }
        let path = self.source.manifest.entries[index].path.description
        let failure = FileTransferFailure(path: path, problem: problem)
        self.failures.append(failure)
        self.outputs.append(.failure(failure))
    }

    private func fail(_ problem: FileTransferProblem) {
        guard !self.isOver else { return }
        self.end(.failed(problem))
        self.packer.append(.failed(problem))
    }

    private func end(_ output: TransferOutput) {
        self.packer = FramePacker()
        self.current = nil
        self.phase = .over
        self.outputs.append(output)
    }
}
