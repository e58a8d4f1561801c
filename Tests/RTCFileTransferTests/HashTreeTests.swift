import NIOCore
import RTCBase
import RTCCrypto
import RTCFileTransfer
import Testing

@Suite struct HashTreeTests {
    @Test("The tree of any number of chunks is divided as RFC 6962 divides it", arguments: [0, 1, 2, 3, 5, 8, 13, 100])
    func shape(count: Int) {
        let leaves = (0..<count).map { number in Self.sha([UInt8(number)]) }
        var tree = HashTree()
        for leaf in leaves { tree.append(leaf) }
        #expect(tree.count == UInt64(count))
        let top = leaves.isEmpty ? [] : Self.top(leaves[...])
        #expect(tree.root(size: 9) == Self.sha([2, 0, 0, 0, 0, 0, 0, 0, 9] + top))
    }

    @Test("A run of zeros is as many chunks of zeros", arguments: 0..<30)
    func zeros(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var one = HashTree()
        var other = HashTree()
        for _ in 0..<8 {
            let leaf = random.bytes(count: 32)
            one.append(leaf)
            other.append(leaf)
            let run = UInt64.random(in: 0...200, using: &random)
            one.appendZeros(chunks: run)
            for _ in 0..<run { other.append(HashTree.zeroLeaf) }
            #expect(one.count == other.count)
            #expect(one.root(size: 1) == other.root(size: 1), "seed \(seed)")
        }
    }

    @Test("The largest file that there can be takes no time")
    func largest() {
        var tree = HashTree()
        tree.appendZeros(chunks: HashTree.chunks(of: UInt64(Int64.max)))
        #expect(tree.count == 1 << 46)
        #expect(tree.root(size: UInt64(Int64.max)).count == 32)
    }

    private static func sha(_ bytes: [UInt8]) -> [UInt8] { HashAlgorithm.sha256.digest(of: bytes.span.bytes) }

    private static func top(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        guard leaves.count > 1 else { return leaves.first ?? [] }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        return Self.sha([1] + Self.top(leaves[..<middle]) + Self.top(leaves[middle...]))
    }
}

@Suite struct FrameTests {
    @Test("Frames come back as they were written")
    func roundTrip() throws {
        let path = try #require(TransferPath(Array("folder/ü\u{0301}文.txt".utf8)))
        let entry = ManifestEntry(
            kind: .file,
            path: path,
            mode: 0o640,
            modified: FileTime(seconds: -5, nanoseconds: 999_999_999),
            size: 1 << 40
        )
        let hash = (0..<32).map(UInt8.init)
        let problem = FileTransferProblem(.noSpace, "détail", side: .remote)
        let frames: [TransferFrame] = [
            .hello(version: 1, chunkSize: 131_072), .entry(entry), .manifestEnd(entries: 1, bytes: 1 << 40),
            .fileBegin(index: 3, firstChunk: 1 << 40), .chunk(hash: hash, bytes: ByteBuffer(string: "content")),
            .hole(chunks: 12), .fileEnd(root: hash), .fileSame(index: 4), .fileAborted(index: 5, problem), .end,
            .have(index: 6, .wholeOrAnew, chunks: 7, root: hash), .skip(index: 8, problem), .start,
            .progress(bytes: 9, files: 10), .fileFailed(index: 11, problem), .complete(files: 12, failed: 13),
            .failed(problem),
        ]
        var message = ByteBuffer()
        for frame in frames { frame.write(to: &message) }
        for frame in frames { #expect(TransferFrame(from: &message) == frame) }
        #expect(message.readableBytes == 0)
    }

    @Test("Broken frames are none", arguments: 0..<200)
    func broken(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var message = ByteBuffer()
        TransferFrame.fileAborted(index: 1, FileTransferProblem(.changed, "x")).write(to: &message)
        TransferFrame.have(index: 1, .partial, chunks: 1, root: [UInt8](repeating: 0, count: 32)).write(to: &message)
        var bytes = Array(message.readableBytesView)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
        var altered = ByteBuffer(bytes: bytes)
        while altered.readableBytes > 0, TransferFrame(from: &altered) != nil {}
    }

    @Test(
        "Paths that lead elsewhere than downwards are none",
        arguments: [
            "", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", "./a", "a/.", "a//b", "a/", ".rtc-parts",
            ".rtc-parts/x", ".RTC-Parts/x", "a\u{0}b",
        ]
    )
    func paths(text: String) {
        #expect(TransferPath(Array(text.utf8)) == nil)
        // And who sends one is answered, not ignored.
        var message = ByteBuffer()
        message.writeMultipleIntegers(UInt8(2), UInt32(23 + text.utf8.count))
        message.writeMultipleIntegers(UInt8(0), UInt16(0), Int64(0), UInt32(0), UInt64(0))
        message.writeString(text)
        guard case .failed(let problem) = TransferFrame(from: &message) else {
            Issue.record("not refused")
            return
        }
        #expect(problem.kind == .forbiddenPath)
    }

    @Test("A path for people does a terminal no harm")
    func printable() {
        let path = TransferPath(Array("a\u{1B}[2J\u{202E}b\n".utf8) + [0xFF])
        #expect(path?.description == "a\\u{1b}[2J\\u{202e}b\\u{a}\u{FFFD}")
    }
}
