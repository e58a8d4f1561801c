import RTCBase
import RTCFileTransfer
import Synchronization
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What the order of calls on the file system promises for the moment that the power fails.
@Suite struct PowerFailureTests {
    private let scratch = Scratch()

    @Test(
        "A file of several chunks is on the disk before it gets its name, and all names before success is told",
        arguments: [ExistingFilePolicy.keep, .rename, .overwrite]
    )
    func large(policy: ExistingFilePolicy) throws {
        var random = RandomSource.seeded(1)
        let path = self.scratch.write("out/large", random.content(700_000))
        let log = try self.receive([path], policy)
        let place = try #require(log.firstIndex { $0.isName("large") })
        guard case .name(_, let file?) = log[place] else {
            Issue.record("it has no identity")
            return
        }
        #expect(file == self.identity("in/large"))
        let writes = log.indices.filter { log[$0] == .write(file) }
        let flush = try #require(log.firstIndex(of: .synchronize(file)))
        let end = try #require(log.lastIndex(of: .synchronizeFileSystem))
        #expect(writes.count == 6)
        #expect(writes.allSatisfy { $0 < flush } && flush < place && place < end && end == log.count - 1)
    }

    @Test("A file that replaces another is on the disk before it has the name, however small it is")
    func replacing() throws {
        let path = self.scratch.write("out/small", [1, 2, 3])
        self.scratch.write("in/small", [4, 5])
        let log = try self.receive([path], .overwrite)
        let file = try #require(self.identity("in/small"))
        let write = try #require(log.firstIndex(of: .write(file)))
        let flush = try #require(log.firstIndex(of: .synchronize(file)))
        let place = try #require(log.firstIndex { $0.isName("small") })
        #expect(write < flush && flush < place)
        #expect(log.last == .synchronizeFileSystem)
        #expect(self.scratch.read("in/small") == [1, 2, 3])
    }

    @Test("Small new files wait for the disk together, after all have their names")
    func small() throws {
        for number in 0..<50 { self.scratch.write("out/t/\(number)", [UInt8(number)]) }
        let log = try self.receive(["\(self.scratch.path)/out/t"], .keep)
        let waits = log.filter {
            if case .synchronize = $0 { return true }
            return false
        }
        #expect(waits.isEmpty)
        #expect(log.filter { $0 == .synchronizeFileSystem }.count == 1 && log.last == .synchronizeFileSystem)
        #expect((0..<50).allSatisfy { number in log.contains { $0.isName("\(number)") } })
    }

    /// What a receiver did until it told success.
    private func receive(_ paths: [String], _ policy: ExistingFilePolicy) throws -> [FileOperation] {
        var pair = try EnginePair(paths, into: self.scratch.folder("in"), policy)
        let log = Mutex<[FileOperation]>([])
        let note: @Sendable (FileOperation) -> Void = { operation in log.withLock { $0.append(operation) } }
        SystemCalls.$observer.withValue(note) { pair.run() }
        #expect(pair.isComplete)
        return log.withLock { $0 }
    }

    private func identity(_ name: String) -> FileIdentity? {
        SystemCalls.identity(of: Array("\(self.scratch.path)/\(name)".utf8), in: AT_FDCWD)
    }
}

extension FileOperation {
    fileprivate func isName(_ name: String) -> Bool {
        guard case .name(Array(name.utf8), _) = self else { return false }
        return true
    }
}
