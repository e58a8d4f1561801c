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

@Suite struct TransferTests {
    @Test(
        "A file of any size arrives as it is",
        arguments: [0, 1, 131_071, 131_072, 131_073, 262_144, 1_000_003]
    )
    func sizes(size: Int) throws {
        let scratch = Scratch()
        var random = RandomSource.seeded(UInt64(size))
        let path = scratch.write("out/data.bin", random.content(size), mode: 0o640)
        Tree.touch(path, seconds: 1_000_000_007, nanoseconds: 123_456_789)
        var pair = try EnginePair([path], into: scratch.folder("in"))
        pair.run()
        #expect(pair.isComplete)
        #expect(Tree.snapshot(scratch.folder("in")) == Tree.snapshot(scratch.folder("out")))
        #expect(pair.sender.progress.bytes == UInt64(size) && pair.sender.progress.files == 1)
    }

    @Test("A tree arrives with its names in every script, its modes and times, and its empty folders")
    func tree() throws {
        let scratch = Scratch()
        let names = [
            "latin é", "e\u{0301} decomposed", "Ελληνικά", "Русский", "עברית", "العربية", "हिन्दी", "ไทย", "中文", "日本語",
            "한국어", "አማርኛ", "𓂀 hieroglyph", "👩‍👩‍👧 family", "quote\"'`$\\", "new\nline", " spaces ", "-rf", "...", "a.part",
        ]
        for (number, name) in names.enumerated() {
            scratch.write("out/top/\(name)/\(name).txt", Array(name.utf8), mode: mode_t(0o400 + number))
        }
        // Bytes that are no UTF-8 are names too, where the file system takes them.
        Tree.write(Array("\(scratch.path)/out/top/".utf8) + [0xFF, 0xFE, 0x41], [1, 2, 3])
        for name in ["empty", "empty/inside", "locked"] {
            mkdir("\(scratch.path)/out/top/\(name)", 0o755)
        }
        scratch.write("out/top/locked/file", [9])
        chmod("\(scratch.path)/out/top/locked", 0o555)
        for (path, kind) in Tree.names(in: scratch.folder("out")).reversed() where kind == S_IFDIR {
            let full = "\(scratch.path)/out/" + String(decoding: path, as: UTF8.self)
            Tree.touch(full, seconds: 1_234_567_890 + path.count, nanoseconds: path.count)
        }
        var pair = try EnginePair(["\(scratch.path)/out/top"], into: scratch.folder("in"))
        pair.run()
        #expect(pair.isComplete && pair.receiver.failures.isEmpty)
        let sent = Tree.snapshot(scratch.folder("out"))
        #expect(sent.count == 2 * names.count + 6)
        #expect(Tree.snapshot(scratch.folder("in")) == sent)
    }

    @Test("Ten thousand small files need few messages")
    func manyFiles() throws {
        let scratch = Scratch()
        var random = RandomSource.seeded(4)
        for number in 0..<10_000 {
            let size = Int.random(in: 0...300, using: &random)
            scratch.write("out/many/\(number % 100)/\(number)", random.content(size))
        }
        var pair = try EnginePair(["\(scratch.path)/out/many"], into: scratch.folder("in"))
        pair.run()
        #expect(pair.isComplete)
        #expect(pair.messages < 60)
        #expect(Tree.snapshot(scratch.folder("in")) == Tree.snapshot(scratch.folder("out")))
    }

    @Test("Four gibibytes of holes arrive at once, and stay holes")
    func sparse() throws {
        let scratch = Scratch()
        let path = scratch.write("out/sparse", [])
        let descriptor = open(path, O_WRONLY)
        ftruncate(descriptor, 4 << 30)
        for (offset, text) in [(0, "begin"), (1 << 30 + 7, "in between"), (4 << 30 - 3, "end")] {
            _ = text.utf8CString.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, text.utf8.count, off_t(offset)) }
        }
        close(descriptor)
        let start = ContinuousClock.now
        var pair = try EnginePair([path], into: scratch.folder("in"))
        pair.run()
        #expect(pair.isComplete)
        #expect(pair.bytes < 2 << 20)
        var status = stat()
        stat("\(scratch.path)/in/sparse", &status)
        #expect(status.st_size == 4 << 30 && status.st_blocks < 4_096)
        let copy = open("\(scratch.path)/in/sparse", O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: 10)
        pread(copy, &bytes, 10, off_t(1 << 30 + 7))
        close(copy)
        #expect(String(decoding: bytes, as: UTF8.self) == "in between")
        // Again: it is there, which is found out as quickly.
        var again = try EnginePair([path], into: scratch.folder("in"))
        again.run()
        #expect(again.isComplete && again.receiver.progress.files == 1)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("A transfer that is cut off anywhere goes on from there", arguments: 0..<40)
    func resuming(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let scratch = Scratch()
        for number in 0..<6 {
            let size = [0, 1, 100_000, 131_072, 900_000, 3_000_000][number]
            scratch.write("out/tree/\(number % 2)/\(number)", random.content(size))
        }
        let holes = open("\(scratch.path)/out/tree/holes", O_CREAT | O_RDWR, 0o644)
        ftruncate(holes, 5_000_000)
        pwrite(holes, "x", 1, 2_500_000)
        close(holes)
        var sent = 0
        var rounds = 0
        while true {
            var pair = try EnginePair(["\(scratch.path)/out/tree"], into: scratch.folder("in"))
            pair.run(messages: Int.random(in: 1...20, using: &random))
            sent += pair.bytes
            rounds += 1
            if pair.isComplete { break }
            try #require(rounds < 100, "seed \(seed)")
        }
        #expect(Tree.snapshot(scratch.folder("in")) == Tree.snapshot(scratch.folder("out")), "seed \(seed)")
        // The list travels every time; of the files at most a chunk is sent again for each time.
        #expect(sent < 4_600_000 + rounds * 150_000, "seed \(seed), \(rounds) rounds")
    }

    @Test("A receiver that says what it has dealt with is never sent much more")
    func window() throws {
        let scratch = Scratch()
        var random = RandomSource.seeded(8)
        let path = scratch.write("out/data", random.content(40_000_000))
        let sender = FileTransferSender(try SourceFiles([path]))
        var sent: UInt64 = 0
        func run() {
            while let output = sender.poll() {
                if case .transmit(let message) = output { sent += UInt64(message.readableBytes) }
            }
        }
        func say(_ frames: TransferFrame...) {
            var message = ByteBuffer()
            for frame in frames { frame.write(to: &message) }
            sender.receive(message)
        }
        run()
        say(.hello(version: TransferFrame.version, chunkSize: 131_072), .taken(bytes: 0), .start)
        run()
        // A message more than the window at most, and no less.
        let slack: UInt64 = 192 << 10
        #expect((FileTransferSender.window...FileTransferSender.window + slack).contains(sent))
        say(.taken(bytes: 1_000_000))
        run()
        #expect(sent > FileTransferSender.window + slack && sent <= FileTransferSender.window + 1_000_000 + slack)
        // Nobody gains by claiming more than was sent.
        say(.taken(bytes: .max))
        run()
        #expect(sent > 40_000_000)
        say(.progress(bytes: 40_000_000, files: 1), .complete(files: 1, failed: 0))
        guard case .complete? = sender.poll() else {
            Issue.record("it did not end")
            return
        }
    }

    @Test("A part that was damaged meanwhile is kept up to the damage")
    func damagedPart() throws {
        let scratch = Scratch()
        var random = RandomSource.seeded(1)
        let path = scratch.write("out/data", random.content(2_000_000))
        do {
            // Its end lets go of the folder.
            var first = try EnginePair([path], into: scratch.folder("in"))
            first.run(messages: 12)
        }
        let parts = "\(scratch.path)/in/.rtc-parts"
        let part = try #require(FileManager.default.contentsOfDirectory(atPath: parts).first { $0.hasSuffix(".part") })
        let descriptor = open("\(parts)/\(part)", O_WRONLY)
        pwrite(descriptor, "damage", 6, 400_000)
        close(descriptor)
        var messages: [TransferFrame] = []
        var pair = try EnginePair([path], into: scratch.folder("in"))
        pair.meddle = { message in
            var copy = message
            while let frame = TransferFrame(from: &copy) { messages.append(frame) }
            return message
        }
        pair.run()
        #expect(pair.isComplete)
        #expect(messages.contains(.fileBegin(index: 0, firstChunk: 3)))
        #expect(scratch.read("in/data") == scratch.read("out/data"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder("in")) == ["data"])
    }

    @Test("A file that changed between two attempts is sent anew")
    func changedBetween() throws {
        let scratch = Scratch()
        var random = RandomSource.seeded(2)
        let path = scratch.write("out/data", random.content(2_000_000))
        do {
            // Its end lets go of the folder.
            var first = try EnginePair([path], into: scratch.folder("in"))
            first.run(messages: 12)
        }
        scratch.write("out/data", random.content(2_000_000))
        // Even with the time of before.
        var pair = try EnginePair([path], into: scratch.folder("in"))
        pair.run()
        #expect(pair.isComplete)
        #expect(scratch.read("in/data") == scratch.read("out/data"))
    }

    @Test("A file that changes while it is sent fails on both sides, and the others arrive")
    func changing() throws {
        let scratch = Scratch()
        var random = RandomSource.seeded(3)
        for name in ["a", "b", "c"] { scratch.write("out/tree/\(name)", random.content(1_000_000)) }
        var pair = try EnginePair(["\(scratch.path)/out/tree"], into: scratch.folder("in"))
        pair.run(messages: 12)
        scratch.write("out/tree/b", random.content(999_999))
        pair.run()
        #expect(pair.isComplete)
        for failures in [pair.sender.failures, pair.receiver.failures] {
            #expect(failures.map(\.path) == ["tree/b"])
            #expect(failures.map(\.problem.kind) == [.changed])
        }
        #expect(scratch.read("in/tree/b") == nil)
        #expect(scratch.read("in/tree/c") == scratch.read("out/tree/c"))
    }

    @Test("Nothing is overwritten unless it is said", arguments: ExistingFilePolicy.allCases)
    func existing(policy: ExistingFilePolicy) throws {
        let scratch = Scratch()
        let size = 300_000
        let new = [UInt8](repeating: 1, count: size)
        for name in ["same", "other.txt", "shorter.tar.gz"] { scratch.write("out/t/\(name)", new) }
        scratch.write("in/t/same", new)
        scratch.write("in/t/other.txt", [UInt8](repeating: 2, count: size))
        scratch.write("in/t/shorter.tar.gz", [2])
        var pair = try EnginePair(["\(scratch.path)/out/t"], into: scratch.folder("in"), policy)
        pair.run()
        #expect(pair.isComplete)
        switch policy {
        case .keep:
            for failures in [pair.sender.failures, pair.receiver.failures] {
                #expect(Set(failures.map(\.path)) == ["t/other.txt", "t/shorter.tar.gz"])
                #expect(failures.allSatisfy { $0.problem.kind == .exists })
            }
            #expect(scratch.read("in/t/shorter.tar.gz") == [2])
        case .overwrite:
            #expect(pair.receiver.failures.isEmpty)
            #expect(scratch.read("in/t/other.txt") == new && scratch.read("in/t/shorter.tar.gz") == new)
        case .rename:
            #expect(pair.receiver.failures.isEmpty)
            #expect(scratch.read("in/t/other (1).txt") == new && scratch.read("in/t/shorter.tar (1).gz") == new)
            #expect(scratch.read("in/t/shorter.tar.gz") == [2])
            // A second time all of it is there.
            var again = try EnginePair(["\(scratch.path)/out/t"], into: scratch.folder("in"), policy)
            again.run()
            #expect(again.isComplete && again.bytes < 2_000)
        }
        #expect(scratch.read("in/t/same (1)") == nil)
    }

    @Test("Links are left out, and none in the target is followed")
    func links() throws {
        let scratch = Scratch()
        scratch.write("out/t/file", [1])
        scratch.write("out/t/sub/file", [2])
        symlink("/etc/passwd", "\(scratch.path)/out/t/link")
        mkfifo("\(scratch.path)/out/t/pipe", 0o600)
        _ = scratch.folder("elsewhere")
        _ = scratch.folder("in")
        mkdir("\(scratch.path)/in/t", 0o755)
        symlink("\(scratch.path)/elsewhere", "\(scratch.path)/in/t/sub")
        symlink("\(scratch.path)/elsewhere/file", "\(scratch.path)/in/t/file")
        let source = try SourceFiles(["\(scratch.path)/out/t"])
        #expect(Set(source.skipped) == ["t/link", "t/pipe"])
        for policy in ExistingFilePolicy.allCases where policy != .rename {
            var pair = try EnginePair(["\(scratch.path)/out/t"], into: scratch.folder("in"), policy)
            pair.run()
            #expect(pair.isComplete)
            #expect(Set(pair.sender.failures.map(\.path)) == ["t/file", "t/sub/file"])
            #expect(pair.receiver.failures.allSatisfy { $0.problem.kind == .inTheWay })
        }
        #expect(Tree.names(in: scratch.folder("elsewhere")).isEmpty)
    }

    @Test("Two things of one name cannot be sent, nor what is not there")
    func sources() throws {
        let scratch = Scratch()
        let one = scratch.write("one/name", [1])
        let other = scratch.write("other/name", [2])
        #expect(throws: FileTransferProblem.self) { try SourceFiles([one, other]) }
        #expect(throws: FileTransferProblem.self) { try SourceFiles(["\(scratch.path)/nothing"]) }
        #expect(throws: FileTransferProblem.self) { try SourceFiles(["/"]) }
        #expect(throws: FileTransferProblem.self) { try SourceFiles(["/dev/null"]) }
        #expect(try SourceFiles(["\(scratch.path)/one/"]).manifest.files == 1)
    }
}
