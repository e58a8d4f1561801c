import NIOCore
import NIOPosix

/// Where the body of a whole response comes from.
enum ResponseBody {
    case bytes(ByteBuffer)
    case file(FolderReader.File)

    var size: Int {
        switch self {
        case .bytes(let bytes): return bytes.readableBytes
        case .file(let file): return file.size
        }
    }
}

/// Where a ``ResponseFeed`` writes to, confined to the server's event loop.
protocol ResponseSink: AnyObject {
    /// Whether the client takes more now.
    var isWritable: Bool { get }
    /// Writes a piece, which goes out with the next flush.
    func writePiece(_ piece: ByteBuffer)
    func flush()
    /// The body has been written, or cannot be.
    func feedEnded(isWhole: Bool)
}

/// Gives a body piece by piece, as the client takes it and no faster; of a file no more than two pieces are in memory.
final class ResponseFeed {
    private let eventLoop: any EventLoop
    private let meter: UnsentMeter
    private weak var sink: (any ResponseSink)?
    private var body: ResponseBody
    private var offset = 0
    private var isReading = false
    private var isFeeding = false
    private var isOver = false

    init(_ body: ResponseBody, to sink: any ResponseSink, meter: UnsentMeter, eventLoop: any EventLoop) {
        self.body = body
        self.sink = sink
        self.meter = meter
        self.eventLoop = eventLoop
        if case .bytes(let bytes) = body { meter.hold(bytes.readableBytes) }
    }

    /// The client may take more.
    func resume() {
        // A flush may say so in the middle of this; the outer loop takes it.
        guard !self.isFeeding else { return }
        self.isFeeding = true
        defer { self.isFeeding = false }
        while !self.isOver, !self.isReading, let sink = self.sink {
            if !sink.isWritable { sink.flush() }
            guard sink.isWritable else { return }
            self.step(sink)
        }
    }

    /// The client is gone.
    func cancel() {
        guard !self.isOver else { return }
        self.isOver = true
        if case .bytes(let rest) = self.body { self.meter.letGo(rest.readableBytes) }
    }

    private func step(_ sink: any ResponseSink) {
        switch self.body {
        case .bytes(var rest):
            guard let piece = rest.readSlice(length: min(rest.readableBytes, ByteBuffer.responsePieceSize)),
                piece.readableBytes > 0
            else { return self.end(sink, isWhole: true) }
            self.body = .bytes(rest)
            self.meter.letGo(piece.readableBytes)
            self.meter.add(piece.readableBytes)
            sink.writePiece(piece)
        case .file(let file):
            guard self.offset < file.size else { return self.end(sink, isWhole: true) }
            sink.flush()
            self.read(file)
        }
    }

    /// Not on the event loop: a disk may take its time.
    private func read(_ file: FolderReader.File) {
        self.isReading = true
        let offset = self.offset
        let count = min(file.size - offset, ByteBuffer.responsePieceSize)
        let reading = NIOThreadPool.singleton.runIfActive(eventLoop: self.eventLoop) { file.read(offset, count) }
        reading.assumeIsolated().whenComplete { result in
            self.isReading = false
            guard !self.isOver, let sink = self.sink else { return }
            guard case .success(let piece?) = result else { return self.end(sink, isWhole: false) }
            self.offset += count
            self.meter.add(count)
            sink.writePiece(piece)
            self.resume()
        }
    }

    private func end(_ sink: any ResponseSink, isWhole: Bool) {
        self.isOver = true
        sink.feedEnded(isWhole: isWhole)
    }
}

/// The bytes of responses and streams that wait for the client of one connection.
final class UnsentMeter {
    /// Of bodies that are given piece by piece: what was not written yet. A client is not slow for what its windows keep back.
    private var held = 0
    private var written = 0
    private let limit: Int
    private let heldLimit: Int
    /// Called once, when more than allowed is written and not taken.
    var whenExceeded: (() -> Void)?

    init(limit: Int = .max, heldLimit: Int = .max) {
        self.limit = limit
        self.heldLimit = heldLimit
    }

    /// All that waits, written or not.
    var bytes: Int { self.held + self.written }

    /// Whether a body may be held beside the others; alone it may, however large.
    func hasRoom(for count: Int) -> Bool { self.held == 0 || count <= self.heldLimit - self.held }

    func hold(_ count: Int) { self.held += count }

    func letGo(_ count: Int) { self.held -= count }

    /// Bytes are written.
    func add(_ count: Int) {
        // One piece alone is held by whoever made it, however large.
        let isExceeded = self.written > 0 && self.written + count > self.limit
        self.written += count
        guard isExceeded, let whenExceeded = self.whenExceeded else { return }
        self.whenExceeded = nil
        whenExceeded()
    }

    /// Bytes are out, or never will be.
    func remove(_ count: Int) { self.written -= count }
}
