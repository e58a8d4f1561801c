import NIOCore
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

    /// How much may be on its way to a receiver that says what it has dealt with, in bytes.
    package static let window: UInt64 = 16 << 20

    /// How far it is, as the receiver says.
    package private(set) var progress = FileTransferProgress()
    package var outbox: TransferOutbox

    private let source: SourceFiles
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: HashTree.chunkSize, alignment: 4_096)
    private var phase = Phase.listing(next: 0)
    private var possessions: [Int: Possession] = [:]
    /// What is not sent, or not to its end.
    private var isLeftOut: Set<Int> = []
    private var current: Current?
    private var next = 0
    /// Bytes of messages.
    private var sent: UInt64 = 0
    /// How many of them the receiver has dealt with; nil if it does not say, because its channel's window closes by itself.
    private var taken: UInt64?

    package init(_ source: SourceFiles) {
        self.source = source
        self.outbox = TransferOutbox(failures: source.failures)
        self.progress.totalBytes = source.manifest.bytes
        self.progress.totalFiles = source.manifest.files
    }

    deinit { self.buffer.deallocate() }

    // MARK: In

    package func take(_ frame: TransferFrame) throws(FileTransferProblem) {
        let entries = self.source.manifest.entries
        switch (frame, self.phase) {
        case (.hello(TransferFrame.version, _), _): break
        case (.hello, _): throw FileTransferProblem(.version)
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
        case (.taken(let bytes), _): self.taken = bytes
        case (.fileFailed(let index, let problem), _) where index < entries.count:
            self.note(Int(index), problem)
            // The rest of it would be thrown away.
            if self.current?.index == Int(index) { self.current = nil }
        case (.complete, .awaitingCompletion): self.end(.complete)
        default: throw FileTransferProblem(.protocolViolation)
        }
    }

    // MARK: Out

    /// The next thing that it has to say; nil while it waits for the receiver, or when all is over.
    package func poll() -> TransferOutput? {
        while true {
            if let output = self.outbox.next() { return output }
            if self.isOver || self.isHeldBack { return nil }
            if let message = self.outbox.packer.next(flush: false) { return self.transmit(message) }
            switch self.phase {
            case .listing(let next): self.list(from: next)
            case .sending:
                if self.send() { return .working }
            case .awaitingStart, .awaitingCompletion:
                return self.outbox.packer.next(flush: true).map(self.transmit)
            }
        }
    }

    /// Whether the receiver has to deal first with what it has.
    private var isHeldBack: Bool {
        guard let taken = self.taken else { return false }
        return self.sent >= Self.window && self.sent - Self.window >= taken
    }

    private func transmit(_ message: ByteBuffer) -> TransferOutput {
        self.sent += UInt64(message.readableBytes)
        return .transmit(message)
    }

    private func list(from first: Int) {
        let manifest = self.source.manifest
        var next = first
        while next < manifest.entries.count, !self.outbox.packer.isFull {
            self.outbox.packer.append(.entry(manifest.entries[next]))
            next += 1
        }
        self.phase = .listing(next: next)
        guard next == manifest.entries.count else { return }
        self.outbox.packer.append(.manifestEnd(entries: UInt32(manifest.entries.count), bytes: manifest.bytes))
        self.outbox.outputs.append(.listed(files: manifest.files, bytes: manifest.bytes))
        self.phase = .awaitingStart
    }

    /// Goes on with files until a message is full; true if it compared for a while instead.
    private func send() -> Bool {
        while !self.outbox.packer.isFull, self.outbox.outputs.isEmpty {
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
            self.outbox.packer.append(.end)
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
                self.outbox.packer.append(.fileBegin(index: UInt32(index), firstChunk: 0))
            }
            self.current = current
        } catch {
            self.outbox.packer.append(.fileAborted(index: UInt32(index), error))
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
            self.outbox.packer.append(.fileBegin(index: UInt32(current.index), firstChunk: first))
        case .wholeOrNothing, .wholeOrAnew:
            if isSame, isWhole {
                self.outbox.packer.append(.fileSame(index: UInt32(current.index)))
                self.current = nil
            } else if possession.kind == .wholeOrAnew {
                self.outbox.packer.append(.fileBegin(index: UInt32(current.index), firstChunk: 0))
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
            self.outbox.packer.append(.hole(chunks: chunks))
        case .bytes(let count):
            let expected = min(UInt64(HashTree.chunkSize), file.size - chunk * UInt64(HashTree.chunkSize))
            guard count == Int(expected) else { throw FileTransferProblem(.changed) }
            let bytes = UnsafeRawBufferPointer(rebasing: self.buffer[..<count])
            let hash = HashTree.leaf(bytes)
            self.current?.tree.append(hash)
            self.outbox.packer.appendChunk(hash: hash, bytes)
        }
        // The end goes into the same message.
        if chunk + 1 == HashTree.chunks(of: file.size) { try self.finishFile() }
    }

    private func finishFile() throws(FileTransferProblem) {
        guard let current = self.current else { return }
        guard current.file.isUnchanged() else { throw FileTransferProblem(.changed) }
        self.outbox.packer.append(.fileEnd(root: current.tree.root(size: current.file.size)))
        self.current = nil
    }

    // MARK: Problems

    private func abort(_ problem: FileTransferProblem) {
        guard let current = self.current else { return }
        self.current = nil
        self.outbox.packer.append(.fileAborted(index: UInt32(current.index), problem))
        self.note(current.index, problem)
    }

    /// Notes the first problem of a file. Both sides may find one at the same time, and the other side may say so over and over.
    private func note(_ index: Int, _ problem: FileTransferProblem) {
        guard self.isLeftOut.insert(index).inserted else { return }
        self.outbox.note(self.source.manifest.entries[index], problem)
    }

    package func abandon() { self.current = nil }
}
