import Foundation
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

/// What is done with what lies in the folders already, and with what changes meanwhile.
@Suite struct FolderTests {
    private let scratch = Scratch()

    @Test(
        "Folders that were there keep their modes and times; those that a transfer made get the sender's, also after a break"
    )
    func folders() throws {
        var random = RandomSource.seeded(1)
        for name in ["old", "new"] {
            self.scratch.write("out/t/\(name)/file", random.content(600_000))
            chmod("\(self.scratch.path)/out/t/\(name)", 0o750)
            Tree.touch("\(self.scratch.path)/out/t/\(name)", seconds: 1_000_000, nanoseconds: 0)
        }
        self.scratch.write("in/t/old/other", [1])
        chmod("\(self.scratch.path)/in/t/old", 0o711)
        var rounds = 0
        while true {
            var pair = try EnginePair(["\(self.scratch.path)/out/t"], into: self.scratch.folder("in"))
            pair.run(messages: 5)
            rounds += 1
            if pair.isComplete { break }
            try #require(rounds < 10)
        }
        #expect(rounds > 1)
        let tree = Tree.snapshot(self.scratch.folder("in"))
        #expect(tree[Array("t/old".utf8)]?.mode == 0o711)
        #expect(tree[Array("t/old".utf8)]?.seconds != 1_000_000)
        #expect(tree[Array("t/new".utf8)]?.mode == 0o750)
        #expect(tree[Array("t/new".utf8)]?.seconds == 1_000_000)
        #expect(tree.keys.allSatisfy { !$0.starts(with: Array(".rtc-parts".utf8)) })
    }

    @Test("A sparse file that grows while it is sent fails, and the others arrive")
    func growing() throws {
        var random = RandomSource.seeded(2)
        let path = self.scratch.write("out/t/a", random.content(1_000_000))
        self.scratch.write("out/t/b", random.content(1_000_000))
        let descriptor = open(path, O_WRONLY)
        ftruncate(descriptor, 20_000_000)
        var pair = try EnginePair(["\(self.scratch.path)/out/t"], into: self.scratch.folder("in"))
        pair.run(messages: 4)
        pwrite(descriptor, "x", 1, 90_000_000)
        close(descriptor)
        pair.run()
        #expect(pair.isComplete)
        #expect(pair.receiver.failures.map(\.path) == ["t/a"])
        #expect(pair.receiver.failures.map(\.problem.kind) == [.changed])
        #expect(self.scratch.read("in/t/b") == self.scratch.read("out/t/b"))
    }

    @Test("Another file in the place of the one that was listed is not sent, whatever its size and time")
    func replaced() throws {
        for name in ["listed", "other"] {
            let path = self.scratch.write("out/\(name)", Array(name.utf8.prefix(5)))
            Tree.touch(path, seconds: 1_000_000, nanoseconds: 7)
        }
        var pair = try EnginePair(["\(self.scratch.path)/out/listed"], into: self.scratch.folder("in"))
        #expect(rename("\(self.scratch.path)/out/other", "\(self.scratch.path)/out/listed") == 0)
        pair.run()
        #expect(pair.isComplete)
        #expect(pair.sender.failures.map(\.problem.kind) == [.changed])
        #expect(self.scratch.read("in/listed") == nil)
    }

    @Test("A move without links replaces nothing")
    func move() throws {
        self.scratch.write("a", [1])
        self.scratch.write("b", [2])
        let folder = open(self.scratch.path, O_RDONLY | O_DIRECTORY)
        defer { close(folder) }
        let (from, taken, free) = (Array("a".utf8), Array("b".utf8), Array("c".utf8))
        #expect(try !SystemCalls.move(from, in: folder, to: taken, in: folder))
        #expect(self.scratch.read("a") == [1] && self.scratch.read("b") == [2])
        #expect(try SystemCalls.move(from, in: folder, to: free, in: folder))
        #expect(self.scratch.read("a") == nil && self.scratch.read("c") == [1])
    }

    @Test("A journal whose last record is cut off is gone on with, and keeps its beginning", arguments: 1...3)
    func cutJournal(cut: Int) throws {
        var random = RandomSource.seeded(UInt64(cut))
        let path = self.scratch.write("out/data", random.content(3_000_000))
        do {
            // Its end lets go of the folder.
            var first = try EnginePair([path], into: self.scratch.folder("in"))
            first.run(messages: 15)
        }
        let journal = try #require(try self.journal())
        let before = try #require(FileManager.default.contents(atPath: journal))
        let whole = before.count - 40
        #expect(truncate(journal, off_t(before.count - cut * 13)) == 0)
        do {
            var second = try EnginePair([path], into: self.scratch.folder("in"))
            // The list, and the file's beginning.
            second.run(messages: 3)
        }
        let after = try #require(FileManager.default.contents(atPath: journal))
        #expect(after.count >= whole && after.count % 40 == 0)
        #expect(after.prefix(whole) == before.prefix(whole))
        var last = try EnginePair([path], into: self.scratch.folder("in"))
        last.run()
        #expect(last.isComplete && last.bytes < 3_000_000 - 10 * 131_072)
        #expect(self.scratch.read("in/data") == self.scratch.read("out/data"))
    }

    private func journal() throws -> String? {
        let parts = "\(self.scratch.path)/in/.rtc-parts"
        let names = try FileManager.default.contentsOfDirectory(atPath: parts)
        return names.first { $0.hasSuffix(".journal") }.map { "\(parts)/\($0)" }
    }
}
