package import NIOCore

/// What the two sides of a transfer say to each other. Documentation/FileTransfer.md tells the grammar.
package enum TransferFrame: Sendable, Hashable {
    /// The version of the protocol.
    package static let version: UInt8 = 1

    // MARK: From both

    case hello(version: UInt8, chunkSize: UInt32)
    case failed(FileTransferProblem)

    // MARK: From the sender

    case entry(ManifestEntry)
    case manifestEnd(entries: UInt32, bytes: UInt64)
    case fileBegin(index: UInt32, firstChunk: UInt64)
    case chunk(hash: [UInt8], bytes: ByteBuffer)
    case hole(chunks: UInt64)
    case fileEnd(root: [UInt8])
    /// The receiver has that file already.
    case fileSame(index: UInt32)
    /// The file is not sent, or not to its end.
    case fileAborted(index: UInt32, FileTransferProblem)
    case end

    // MARK: From the receiver

    case have(index: UInt32, Possession, chunks: UInt64, root: [UInt8])
    case skip(index: UInt32, FileTransferProblem)
    case start
    /// So many bytes of the files are there, and so many files.
    case progress(bytes: UInt64, files: UInt32)
    case fileFailed(index: UInt32, FileTransferProblem)
    case complete(files: UInt32, failed: UInt32)
    /// So many bytes of messages are dealt with. Who says this has no window that closes by itself, and wants
    /// ``FileTransferSender/window`` bytes at most beyond that.
    case taken(bytes: UInt64)

    /// What a receiver has of a file.
    package enum Possession: UInt8, Sendable, Hashable {
        /// The beginning; the rest is to be sent if it is the same, all of it if not.
        case partial = 0
        /// A file of that name; if it is another, nothing is to be sent.
        case wholeOrNothing = 1
        /// A file of that name; if it is another, the file is to be sent.
        case wholeOrAnew = 2
    }

    /// The code of ``chunk(hash:bytes:)``.
    static let chunkCode = Code.chunk.rawValue

    private enum Code: UInt8 {
        case hello = 1
        case entry = 2
        case manifestEnd = 3
        case fileBegin = 4
        case chunk = 5
        case hole = 6
        case fileEnd = 7
        case fileSame = 8
        case fileAborted = 9
        case end = 10
        case have = 20
        case skip = 21
        case start = 22
        case progress = 23
        case fileFailed = 24
        case complete = 25
        case taken = 26
        case failed = 30
    }
}

// MARK: - Writing

extension TransferFrame {
    /// Appends the frame: a code, the size of what follows, and that.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeInteger(self.code.rawValue)
        let lengthIndex = buffer.writerIndex
        buffer.writeInteger(UInt32(0))
        let start = buffer.writerIndex
        self.writeBody(to: &buffer)
        buffer.setInteger(UInt32(buffer.writerIndex - start), at: lengthIndex)
    }

    private var code: Code {
        switch self {
        case .hello: .hello
        case .failed: .failed
        case .entry: .entry
        case .manifestEnd: .manifestEnd
        case .fileBegin: .fileBegin
        case .chunk: .chunk
        case .hole: .hole
        case .fileEnd: .fileEnd
        case .fileSame: .fileSame
        case .fileAborted: .fileAborted
        case .end: .end
        case .have: .have
        case .skip: .skip
        case .start: .start
        case .progress: .progress
        case .fileFailed: .fileFailed
        case .complete: .complete
        case .taken: .taken
        }
    }

    private func writeBody(to buffer: inout ByteBuffer) {
        switch self {
        case .hello(let version, let chunkSize): buffer.writeMultipleIntegers(version, chunkSize)
        case .failed(let problem): Self.write(problem, to: &buffer)
        case .entry(let entry):
            buffer.writeMultipleIntegers(entry.kind.rawValue, entry.mode, entry.modified.seconds)
            buffer.writeMultipleIntegers(entry.modified.nanoseconds, entry.size)
            buffer.writeBytes(entry.path.bytes)
        case .manifestEnd(let entries, let bytes): buffer.writeMultipleIntegers(entries, bytes)
        case .fileBegin(let index, let firstChunk): buffer.writeMultipleIntegers(index, firstChunk)
        case .chunk(let hash, let bytes):
            buffer.writeBytes(hash)
            buffer.writeImmutableBuffer(bytes)
        case .hole(let chunks): buffer.writeInteger(chunks)
        case .fileEnd(let root): buffer.writeBytes(root)
        case .fileSame(let index): buffer.writeInteger(index)
        case .fileAborted(let index, let problem), .skip(let index, let problem), .fileFailed(let index, let problem):
            buffer.writeInteger(index)
            Self.write(problem, to: &buffer)
        case .end, .start: break
        case .have(let index, let possession, let chunks, let root):
            buffer.writeMultipleIntegers(index, possession.rawValue, chunks)
            buffer.writeBytes(root)
        case .progress(let bytes, let files): buffer.writeMultipleIntegers(bytes, files)
        case .complete(let files, let failed): buffer.writeMultipleIntegers(files, failed)
        case .taken(let bytes): buffer.writeInteger(bytes)
        }
    }

    private static func write(_ problem: FileTransferProblem, to buffer: inout ByteBuffer) {
        buffer.writeInteger(problem.kind.rawValue)
        buffer.writeBytes(problem.detail.utf8.prefix(FileTransferProblem.maximumDetail))
    }
}

// MARK: - Reading

extension TransferFrame {
    /// Takes the next frame off a message; nil if what is left is none.
    package init?(from message: inout ByteBuffer) {
        guard let number = message.readInteger(as: UInt8.self), let code = Code(rawValue: number),
            let length = message.readInteger(as: UInt32.self), var body = message.readSlice(length: Int(length)),
            let frame = Self.read(code, &body), body.readableBytes == 0
        else { return nil }
        self = frame
    }

    private static func read(_ code: Code, _ body: inout ByteBuffer) -> TransferFrame? {
        switch code {
        case .hello: body.readMultipleIntegers(as: (UInt8, UInt32).self).map { .hello(version: $0, chunkSize: $1) }
        case .failed: self.readProblem(&body).map { .failed($0) }
        case .entry: self.readEntry(&body)
        case .manifestEnd:
            body.readMultipleIntegers(as: (UInt32, UInt64).self).map { .manifestEnd(entries: $0, bytes: $1) }
        case .fileBegin:
            body.readMultipleIntegers(as: (UInt32, UInt64).self).map { .fileBegin(index: $0, firstChunk: $1) }
        case .chunk:
            self.readHash(&body).flatMap { hash in
                body.readSlice(length: body.readableBytes).map { .chunk(hash: hash, bytes: $0) }
            }
        case .hole: body.readInteger(as: UInt64.self).map { .hole(chunks: $0) }
        case .fileEnd: self.readHash(&body).map { .fileEnd(root: $0) }
        case .fileSame: body.readInteger(as: UInt32.self).map { .fileSame(index: $0) }
        case .fileAborted: self.readIndexedProblem(&body).map { .fileAborted(index: $0, $1) }
        case .end: .end
        case .have: self.readHave(&body)
        case .skip: self.readIndexedProblem(&body).map { .skip(index: $0, $1) }
        case .start: .start
        case .progress:
            body.readMultipleIntegers(as: (UInt64, UInt32).self).map { .progress(bytes: $0, files: $1) }
        case .fileFailed: self.readIndexedProblem(&body).map { .fileFailed(index: $0, $1) }
        case .complete:
            body.readMultipleIntegers(as: (UInt32, UInt32).self).map { .complete(files: $0, failed: $1) }
        case .taken: body.readInteger(as: UInt64.self).map { .taken(bytes: $0) }
        }
    }

    private static func readHash(_ body: inout ByteBuffer) -> [UInt8]? { body.readBytes(length: HashTree.hashSize) }

    private static func readEntry(_ body: inout ByteBuffer) -> TransferFrame? {
        guard let (kind, mode, seconds) = body.readMultipleIntegers(as: (UInt8, UInt16, Int64).self),
            let (nanoseconds, size) = body.readMultipleIntegers(as: (UInt32, UInt64).self),
            let kind = ManifestEntry.Kind(rawValue: kind), nanoseconds < 1_000_000_000,
            let bytes = body.readBytes(length: body.readableBytes)
        else { return nil }
        // A path that leads elsewhere is no slip: who sends one gets an answer of its own.
        guard let path = TransferPath(bytes) else {
            return .failed(FileTransferProblem(.forbiddenPath, String(decoding: bytes.prefix(200), as: UTF8.self)))
        }
        let modified = FileTime(seconds: seconds, nanoseconds: nanoseconds)
        return .entry(ManifestEntry(kind: kind, path: path, mode: mode, modified: modified, size: size))
    }

    private static func readHave(_ body: inout ByteBuffer) -> TransferFrame? {
        guard let (index, kind, chunks) = body.readMultipleIntegers(as: (UInt32, UInt8, UInt64).self),
            let possession = Possession(rawValue: kind), let root = self.readHash(&body)
        else { return nil }
        return .have(index: index, possession, chunks: chunks, root: root)
    }

    private static func readProblem(_ body: inout ByteBuffer) -> FileTransferProblem? {
        guard let kind = body.readInteger(as: UInt8.self), body.readableBytes <= FileTransferProblem.maximumDetail
        else { return nil }
        let detail = body.readString(length: body.readableBytes) ?? ""
        return FileTransferProblem(FileTransferProblem.Kind(rawValue: kind) ?? .other, detail, side: .remote)
    }

    private static func readIndexedProblem(_ body: inout ByteBuffer) -> (UInt32, FileTransferProblem)? {
        guard let index = body.readInteger(as: UInt32.self), let problem = self.readProblem(&body) else { return nil }
        return (index, problem)
    }
}
