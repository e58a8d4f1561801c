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

/// A receiver that is the fuzzer, and a sender of a few files.
final class HostileReceiver: HostilePeer {
    private let folder = Folder.make()
    private let source: SourceFiles
    private let sender: FileTransferSender
    private var sentBytes = 0
    private var outputs = 0
    private var receivedBytes = 0
    private var hasEnded = false

    init() {
        mkdir("\(self.folder)/d", 0o755)
        Folder.write("\(self.folder)/a", [])
        Folder.write("\(self.folder)/b", Array("content".utf8))
        Folder.write("\(self.folder)/d/c", [UInt8](repeating: 3, count: 131_079))
        do {
            self.source = try SourceFiles([self.folder])
        } catch {
            fatalError("no files to send: \(error)")
        }
        self.sender = FileTransferSender(self.source)
    }

    deinit { Folder.remove(self.folder) }

    func run(_ input: inout FuzzInput) {
        let isGreedy = input.byte() & 1 == 0
        if isGreedy { self.drain(.max) }
        for _ in 0..<64 where !input.isEmpty {
            self.step(&input)
            self.drain(isGreedy ? .max : Int(input.byte() & 3))
        }
        self.sender.cancel()
        self.drain(.max)
        require(self.sender.isOver, "not over")
    }

    private func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        let index = UInt32(input.byte() & 7)
        switch kind & 15 {
        case 0: self.send(.hello(version: TransferFrame.version, chunkSize: UInt32(input.uint16())))
        case 1, 2, 3:
            let possession = TransferFrame.Possession(rawValue: kind >> 4 & 3) ?? .partial
            let chunks: [UInt64] = [0, 1, 2, 3, .max]
            let root = kind & 0x80 == 0 ? self.root(of: Int(index)) : [UInt8](repeating: 1, count: 32)
            self.send(
                .have(index: index, possession, chunks: chunks[Int(input.byte()) % chunks.count], root: root)
            )
        case 4: self.send(.skip(index: index, self.problem(kind, &input)))
        case 5, 6, 7: self.send(.start)
        case 8: self.send(.progress(bytes: kind & 16 == 0 ? .max : UInt64(input.uint16()), files: index))
        case 9: self.send(.fileFailed(index: index, self.problem(kind, &input)))
        case 10: self.send(.complete(files: index, failed: UInt32(kind)))
        case 11: self.send(.failed(self.problem(kind, &input)))
        case 12: self.send(.taken(bytes: kind & 16 == 0 ? .max : UInt64(input.uint16())))
        default: self.send(ByteBuffer(bytes: input.run()))
        }
    }

    private func problem(_ kind: UInt8, _ input: inout FuzzInput) -> FileTransferProblem {
        FileTransferProblem(
            FileTransferProblem.Kind(rawValue: kind >> 4) ?? .other,
            String(decoding: input.run(), as: UTF8.self)
        )
    }

    /// The root of the first chunk of a file that is sent, as an honest receiver would say.
    private func root(of index: Int) -> [UInt8] {
        guard index < self.source.manifest.entries.count else { return [UInt8](repeating: 2, count: 32) }
        var tree = HashTree()
        let bytes = [UInt8](repeating: 3, count: HashTree.chunkSize)
        tree.append(bytes.withUnsafeBytes { HashTree.leaf($0) })
        return tree.root(size: self.source.manifest.entries[index].size)
    }

    func send(_ message: ByteBuffer) {
        self.receivedBytes += message.readableBytes
        self.sender.receive(message)
    }

    private func drain(_ limit: Int) {
        var left = limit
        while left > 0, let output = self.sender.poll() {
            left -= 1
            self.outputs += 1
            require(!self.hasEnded, "something follows the end")
            switch output {
            case .transmit(let message):
                self.sentBytes += message.readableBytes
                self.check(message)
            case .complete, .failed: self.hasEnded = true
            case .working, .listed, .failure: break
            }
        }
        let progress = self.sender.progress
        require(progress.bytes <= progress.totalBytes && progress.files <= progress.totalFiles, "more than all")
        require(self.sender.failures.count <= self.source.manifest.entries.count, "more failures than files")
        // Every file once, whatever the receiver asks for.
        require(self.sentBytes <= 131_079 + 4_096, "\(self.sentBytes) bytes were sent")
        require(self.outputs < 64, "\(self.outputs) outputs")
    }
}
