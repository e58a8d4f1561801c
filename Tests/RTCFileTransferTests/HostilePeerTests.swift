import Foundation
import NIOCore
import RTCBase
import RTCFileTransfer
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A sender that follows no rules, and what the receiver does.
@Suite struct HostilePeerTests {
    private let scratch = Scratch()

    @Test("A path out of the folder ends it before anything is written")
    func traversal() throws {
        // File systems that do not tell capitals from small letters have other letters that are the same to them, and some that are
        // none.
        let parts = [".rtc-parts/x", ".RTC-Parts/x", ".rtc-part\u{17F}/x", ".rtc-\u{200C}parts"]
        for path in ["../evil", "/tmp/evil", "a/../../evil"] + parts {
            let receiver = try self.receiver()
            var message = ByteBuffer()
            TransferFrame.hello(version: 1, chunkSize: 131_072).write(to: &message)
            message.writeMultipleIntegers(UInt8(2), UInt32(23 + path.utf8.count))
            message.writeMultipleIntegers(UInt8(0), UInt16(0o644), Int64(0), UInt32(0), UInt64(1))
            message.writeString(path)
            receiver.receive(message)
            #expect(Self.problem(receiver)?.kind == .forbiddenPath)
        }
        #expect(Tree.names(in: self.scratch.folder("in")).map(\.0) == [Array(".rtc-parts".utf8)])
    }

    @Test("A file of the list in the place of a folder of the list is no way out")
    func fileAsFolder() throws {
        let receiver = try self.listed([("a", .file, 1), ("a/b", .file, 1)])
        receiver.receive(Self.message(.fileBegin(index: 0, firstChunk: 0), Self.chunk([7])))
        receiver.receive(Self.message(.fileEnd(root: Self.root([7])), .fileBegin(index: 1, firstChunk: 0)))
        receiver.receive(Self.message(Self.chunk([8]), .fileEnd(root: Self.root([8])), .end))
        while receiver.poll() != nil {}
        #expect(receiver.failures.map(\.path) == ["a/b"])
        #expect(receiver.isOver && self.scratch.read("in/a") == [7])
    }

    @Test("A chunk that is not what its hash says is not kept")
    func corruptChunk() throws {
        let receiver = try self.listed([("a", .file, 1)])
        guard case .chunk(let hash, _) = Self.chunk([7]) else { return }
        receiver.receive(Self.message(.fileBegin(index: 0, firstChunk: 0)))
        receiver.receive(Self.message(.chunk(hash: hash, bytes: ByteBuffer(bytes: [8]))))
        #expect(Self.problem(receiver)?.kind == .corrupted)
    }

    @Test("A file whose root is another's is not given its name")
    func corruptRoot() throws {
        let receiver = try self.listed([("a", .file, 1)])
        receiver.receive(Self.message(.fileBegin(index: 0, firstChunk: 0), Self.chunk([7])))
        receiver.receive(Self.message(.fileEnd(root: Self.root([8]))))
        #expect(Self.problem(receiver)?.kind == .corrupted)
        #expect(self.scratch.read("in/a") == nil)
    }

    @Test(
        "Frames out of their place end it",
        arguments: [
            [TransferFrame.fileEnd(root: [UInt8](repeating: 0, count: 32))],
            [.hole(chunks: 1)],
            [.fileBegin(index: 9, firstChunk: 0)],
            [.fileBegin(index: 0, firstChunk: 1)],
            [.fileBegin(index: 0, firstChunk: 0), .fileBegin(index: 1, firstChunk: 0)],
            [.fileBegin(index: 0, firstChunk: 0), .hole(chunks: 9)],
            [.fileBegin(index: 0, firstChunk: 0), .hole(chunks: .max)],
            [.fileBegin(index: 0, firstChunk: 0), .chunk(hash: [UInt8](repeating: 0, count: 32), bytes: ByteBuffer())],
            [.fileBegin(index: 0, firstChunk: 0), .end],
            [.fileSame(index: 0)],
            [.end],
            [.start],
            [.hello(version: 1, chunkSize: 131_072)],
            [.manifestEnd(entries: 0, bytes: 0)],
        ]
    )
    func outOfPlace(frames: [TransferFrame]) throws {
        let receiver = try self.listed([("a", .file, 2), ("b", .file, 2)])
        for frame in frames { receiver.receive(Self.message(frame)) }
        #expect(Self.problem(receiver)?.kind == .protocolViolation)
        #expect(receiver.isOver)
    }

    @Test("That a file is the same is believed once, of a file that is there as a whole")
    func same() throws {
        self.scratch.write("in/a", [7])
        let receiver = try self.listed([("a", .file, 1), ("b", .file, 1)])
        receiver.receive(Self.message(.fileSame(index: 0)))
        #expect(!receiver.isOver && receiver.progress.files == 1)
        receiver.receive(Self.message(.fileSame(index: 0)))
        #expect(Self.problem(receiver)?.kind == .protocolViolation)
    }

    @Test("A receiver that says of a file over and over that it failed is heard once")
    func repeatedFailures() throws {
        let sender = FileTransferSender(try SourceFiles([self.scratch.write("out/a", [1])]))
        while sender.poll() != nil {}
        let problem = FileTransferProblem(.other, "x", side: .remote)
        for _ in 0..<100 { sender.receive(Self.message(.skip(index: 0, problem), .fileFailed(index: 0, problem))) }
        #expect(sender.failures.count == 1)
        var reports = 0
        while let output = sender.poll() { if case .failure = output { reports += 1 } }
        #expect(reports == 1)
    }

    @Test("The paths of a list have a size together")
    func longPaths() throws {
        var manifest = Manifest(maximumPathBytes: 10)
        for (name, isTaken) in [("12345", true), ("123456", false), ("67890", true), ("1", false)] {
            guard case .entry(let entry) = try Self.entry(name, .file, 0) else { continue }
            #expect(manifest.append(entry) == isTaken)
        }
        #expect(manifest.entries.count == 2)
    }

    @Test("A list with a path twice, of a wrong length or of a size beyond all is refused")
    func lists() throws {
        for entries in [[("a", 1), ("a", 1)], [("a", UInt64.max), ("b", 1)], [("a", 1 << 63)]] as [[(String, UInt64)]] {
            let receiver = try self.receiver()
            receiver.receive(Self.message(.hello(version: 1, chunkSize: 131_072)))
            for (path, size) in entries { receiver.receive(Self.message(try Self.entry(path, .file, size))) }
            #expect(Self.problem(receiver)?.kind == .protocolViolation)
        }
        let receiver = try self.receiver()
        receiver.receive(Self.message(.hello(version: 2, chunkSize: 131_072)))
        #expect(Self.problem(receiver)?.kind == .version)
    }

    @Test("Noise ends it and harms nothing", arguments: 0..<100)
    func noise(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let scratch = Scratch()
        var content = RandomSource.seeded(7)
        for name in ["a", "b", "c"] { scratch.write("out/t/\(name)", content.content(400_000)) }
        let before = Tree.snapshot(scratch.folder("out"))
        var pair = try EnginePair(["\(scratch.path)/out/t"], into: scratch.folder("in"))
        pair.meddle = { message in
            guard Int.random(in: 0..<4, using: &random) == 0 else { return message }
            var message = message
            let index = Int.random(in: 0..<message.readableBytes, using: &random)
            message.setInteger(UInt8.random(in: 0...255, using: &random), at: message.readerIndex + index)
            return message
        }
        pair.run()
        #expect(Tree.snapshot(scratch.folder("out")) == before, "seed \(seed)")
        // Contents are never wrong, whatever names were made of the noise.
        let contents = Set(before.values.map(\.content))
        for (path, entry) in Tree.snapshot(scratch.folder("in"))
        where entry.kind == S_IFREG && !path.starts(with: Array(".rtc-parts".utf8)) {
            #expect(contents.contains(entry.content), "seed \(seed)")
        }
    }

    // MARK: A receiver by hand

    private func receiver() throws -> FileTransferReceiver {
        FileTransferReceiver(try TargetFolder(self.scratch.folder("in"), policy: .keep))
    }

    /// A receiver that waits for the files of a list.
    private func listed(_ entries: [(String, ManifestEntry.Kind, UInt64)]) throws -> FileTransferReceiver {
        let receiver = try self.receiver()
        receiver.receive(Self.message(.hello(version: 1, chunkSize: 131_072)))
        for (path, kind, size) in entries { receiver.receive(Self.message(try Self.entry(path, kind, size))) }
        let bytes = entries.reduce(0) { $0 + $1.2 }
        receiver.receive(Self.message(.manifestEnd(entries: UInt32(entries.count), bytes: bytes)))
        while receiver.poll() != nil {}
        return receiver
    }

    private static func entry(_ path: String, _ kind: ManifestEntry.Kind, _ size: UInt64) throws -> TransferFrame {
        let path = try #require(TransferPath(Array(path.utf8)))
        let time = FileTime(seconds: 1, nanoseconds: 0)
        return .entry(ManifestEntry(kind: kind, path: path, mode: 0o644, modified: time, size: size))
    }

    private static func message(_ frames: TransferFrame...) -> ByteBuffer {
        var message = ByteBuffer()
        for frame in frames { frame.write(to: &message) }
        return message
    }

    private static func chunk(_ bytes: [UInt8]) -> TransferFrame {
        .chunk(hash: bytes.withUnsafeBytes { HashTree.leaf($0) }, bytes: ByteBuffer(bytes: bytes))
    }

    private static func root(_ bytes: [UInt8]) -> [UInt8] {
        var tree = HashTree()
        tree.append(bytes.withUnsafeBytes { HashTree.leaf($0) })
        return tree.root(size: UInt64(bytes.count))
    }

    /// What it ended with; what it says to the other side comes before.
    private static func problem(_ receiver: FileTransferReceiver) -> FileTransferProblem? {
        var hasTold = false
        while let output = receiver.poll() {
            switch output {
            case .transmit(var message):
                while let frame = TransferFrame(from: &message) { if case .failed = frame { hasTold = true } }
            case .failed(let problem): return hasTold ? problem : nil
            default: break
            }
        }
        return nil
    }
}
