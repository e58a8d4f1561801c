import FuzzInput
import NIOCore

@testable import RTCFileTransfer

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A sender that is the fuzzer, and receivers one after the other in one folder. Beside the folder lies what nobody may touch, and in the
/// folder lie links to it.
final class HostileSender: HostilePeer {
    private let base = Folder.make()
    private var target: String { "\(self.base)/in" }
    private var outside: [[UInt8]: Folder.Thing] = [:]
    private var inside: [[UInt8]: Folder.Thing] = [:]
    private var receiver: FileTransferReceiver
    private var receivedBytes = 0
    private var sentBytes = 0
    private var outputs = 0
    /// What was listed, and what was sent of the file that is being sent.
    private var entries: [ManifestEntry] = []
    private var tree = HashTree()
    private var current = 0

    init() {
        let base = self.base
        for folder in ["in", "in/d", "out"] { mkdir("\(base)/\(folder)", 0o755) }
        Folder.write("\(base)/out/secret", Array("secret".utf8))
        Folder.write("\(base)/in/a", [1])
        Folder.write("\(base)/in/d/x", [UInt8](repeating: 2, count: 40))
        symlink("../out", "\(base)/in/l")
        symlink("../out/secret", "\(base)/in/s")
        symlink("../out/new", "\(base)/in/n")
        symlink("../../out", "\(base)/in/d/l")
        mkfifo("\(base)/in/p", 0o644)
        self.receiver = Self.receiver("\(base)/in", .keep)
        self.outside = Folder.contents("\(base)/out")
        self.inside = Folder.contents("\(base)/in").filter { $0.value.kind == S_IFLNK || $0.value.kind == S_IFIFO }
    }

    deinit { Folder.remove(self.base) }

    private static func receiver(_ path: String, _ policy: ExistingFilePolicy) -> FileTransferReceiver {
        do {
            return FileTransferReceiver(try TargetFolder(path, policy: policy))
        } catch {
            fatalError("no receiver: \(error)")
        }
    }

    func run(_ input: inout FuzzInput) {
        self.restart(input.byte())
        for _ in 0..<64 where !input.isEmpty {
            self.step(&input)
            self.drain()
        }
        self.receiver.cancel()
        self.drain()
        require(self.receiver.isOver, "not over")
        self.checkFolders()
    }

    /// Begins another transfer into the folder, with what the one before left there.
    private func restart(_ choice: UInt8) {
        let policies: [ExistingFilePolicy] = [.keep, .overwrite, .rename]
        self.receiver.cancel()
        self.drain()
        self.release()
        self.receiver = Self.receiver(self.target, policies[Int(choice) % policies.count])
        (self.receivedBytes, self.sentBytes, self.outputs) = (0, 0, 0)
        (self.entries, self.tree, self.current) = ([], HashTree(), 0)
        self.send(.hello(version: TransferFrame.version, chunkSize: UInt32(HashTree.chunkSize)))
    }

    /// Only one receiver may write to a folder: the one that is there lets go of it.
    private func release() { self.receiver = Self.receiver("\(self.base)/other", .keep) }

    private func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        switch kind & 15 {
        case 0, 1, 2: self.list(&input)
        case 3: self.send(.manifestEnd(entries: UInt32(self.entries.count), bytes: self.listedBytes))
        case 4:
            self.current = Int(input.byte())
            self.tree = HashTree()
            self.send(.fileBegin(index: UInt32(self.current), firstChunk: UInt64(kind >> 4) & 1))
        case 5, 6: self.sendChunk(&input, isSound: kind & 0x80 == 0)
        case 7:
            let chunks = kind & 0x80 == 0 ? HashTree.chunks(of: self.currentSize) : UInt64(input.uint16())
            self.send(.hole(chunks: chunks))
        case 8, 9: self.send(.fileEnd(root: kind & 0x80 == 0 ? self.root : [UInt8](repeating: 7, count: 32)))
        case 10: self.send(.fileSame(index: UInt32(input.byte())))
        case 11:
            let problem = FileTransferProblem(FileTransferProblem.Kind(rawValue: kind >> 4) ?? .other)
            self.send(.fileAborted(index: UInt32(input.byte()), problem))
        case 12: self.send(.end)
        case 13: self.send(ByteBuffer(bytes: input.run()))
        case 14: self.spoil(&input)
        default: self.restart(kind >> 4)
        }
    }

    private var listedBytes: UInt64 { self.entries.reduce(0) { $0 &+ $1.size } }
    private var currentSize: UInt64 { self.current < self.entries.count ? self.entries[self.current].size : 0 }
    private var root: [UInt8] { self.tree.root(size: self.currentSize) }

    /// Names a file or folder: of a few names, or any bytes.
    private func list(_ input: inout FuzzInput) {
        let choice = input.byte()
        let size = input.byte()
        var path = Self.paths[Int(choice & 31) % Self.paths.count]
        if choice & 0x20 != 0 { path += [0x2F] + input.run() }
        if choice & 0x40 != 0 { path = input.run() }
        var message = ByteBuffer()
        message.writeMultipleIntegers(UInt8(2), UInt32(23 + path.count), choice >> 7, UInt16(0o755), Int64(5))
        let sizes: [UInt64] = [0, 1, 40, 131_072, 131_073, 262_145, 1 << 40, 1 << 62, .max]
        let entrySize = size < 128 ? UInt64(size) : sizes[Int(size) % sizes.count]
        message.writeMultipleIntegers(UInt32(0), entrySize)
        message.writeBytes(path)
        var copy = message
        if case .entry(let entry)? = TransferFrame(from: &copy) { self.entries.append(entry) }
        self.send(message)
    }

    private func sendChunk(_ input: inout FuzzInput, isSound: Bool) {
        let start = self.tree.count * UInt64(HashTree.chunkSize)
        let size = start < self.currentSize ? min(UInt64(HashTree.chunkSize), self.currentSize - start) : 1
        var bytes = Array(input.run().prefix(Int(size)))
        bytes += [UInt8](repeating: 9, count: Int(size) - bytes.count)
        let hash = bytes.withUnsafeBytes { HashTree.leaf($0) }
        if isSound { self.tree.append(hash) }
        self.send(
            .chunk(hash: isSound ? hash : [UInt8](repeating: 1, count: 32), bytes: ByteBuffer(bytes: bytes))
        )
    }

    /// Writes over what is kept of a file that is not complete.
    private func spoil(_ input: inout FuzzInput) {
        guard let entry = self.entries.last else { return }
        let names = PartJournal.names(of: entry)
        let name = input.byte() & 1 == 0 ? names.journal : names.part
        Folder.write("\(self.target)/.rtc-parts/\(String(decoding: name, as: UTF8.self))", input.run())
    }

    func send(_ message: ByteBuffer) {
        self.receivedBytes += message.readableBytes
        self.receiver.receive(message)
    }

    private func drain() {
        while let output = self.receiver.poll() {
            self.outputs += 1
            switch output {
            case .transmit(let message):
                self.sentBytes += message.readableBytes
                self.check(message)
            case .working, .listed, .failure, .complete, .failed: break
            }
        }
        let progress = self.receiver.progress
        require(progress.bytes <= progress.totalBytes && progress.files <= progress.totalFiles, "more than all")
        // A folder may fail when it is made, and when it is finished.
        require(self.receiver.failures.count <= 2 * self.entries.count, "more failures than files")
        // For an entry there are two words at the most, each as long as the system's for an error.
        require(self.sentBytes <= 4_096 + 8 * self.receivedBytes, "\(self.sentBytes) for \(self.receivedBytes)")
        require(self.outputs <= 64 + 2 * self.receivedBytes, "\(self.outputs) outputs")
    }

    private func checkFolders() {
        require(Folder.contents("\(self.base)/out") == self.outside, "something outside was touched")
        let contents = Folder.contents(self.target)
        for (path, thing) in self.inside { require(contents[path] == thing, "a link or pipe was touched") }
        let beside = Folder.contents(self.base).keys.filter { $0.count { $0 == 0x2F } == 1 }
        let expected = ["/in", "/out", "/other"].map { Array($0.utf8) }
        require(Set(beside).isSubset(of: expected), "something beside the folder")
    }

    private static let paths: [[UInt8]] = [
        "a", "b", "d", "d/x", "d/y", "l", "l/secret", "l/new", "s", "n", "p", "d/l", "d/l/new", "e", "e/f", "e/f/g",
        "../x", "..", "/x", "a/", "a/b", ".rtc-parts", ".RTC-PARTS/x", ".rtc-part\u{17F}/x", ".rtc\u{200C}-parts/x",
    ].map { Array($0.utf8) }
}
