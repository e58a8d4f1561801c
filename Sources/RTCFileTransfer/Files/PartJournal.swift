import RTCCrypto

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What is noted beside a file that is not complete: which file it is, and the hash of each chunk that was written.
///
/// A header of fixed size, then records of a count and a hash. It is only ever appended to, after the chunk was written: whatever moment
/// the process ends at, what is noted is there, but for a last record that may be cut off.
final class PartJournal {
    private static let magic = Array("rtcpart1".utf8)
    private static let recordSize = 8 + HashTree.hashSize

    private let descriptor: Int32
    private var end: UInt64

    private init(descriptor: Int32, end: UInt64) {
        self.descriptor = descriptor
        self.end = end
    }

    deinit { close(self.descriptor) }

    /// The names of an entry's unfinished file and of its journal, and of the mark of a folder that was made for it.
    static func names(of entry: ManifestEntry) -> (part: [UInt8], journal: [UInt8], folder: [UInt8]) {
        let digest = HashAlgorithm.sha256.digest(of: entry.path.bytes.span.bytes)
        let name = Base32.encode(digest.prefix(20))
        return (Array("\(name).part".utf8), Array("\(name).journal".utf8), Array("\(name).folder".utf8))
    }

    /// Begins a journal, with nothing in it.
    static func create(_ entry: ManifestEntry, in folder: Int32) throws(FileTransferProblem) -> PartJournal {
        let name = Self.names(of: entry).journal
        let flags = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW
        let descriptor = try SystemCalls.open(name, in: folder, flags, mode: 0o600)
        let journal = PartJournal(descriptor: descriptor, end: 0)
        try journal.write(Self.header(of: entry))
        return journal
    }

    /// Goes on with a journal behind its first chunks. What is noted of those is never away, not for a moment.
    static func reopen(
        _ entry: ManifestEntry,
        in folder: Int32,
        keeping chunks: UInt64
    )
        throws(FileTransferProblem) -> PartJournal
    {
        guard let reader = Reader(entry, in: folder) else { throw FileTransferProblem(.changed) }
        let descriptor = try SystemCalls.open(Self.names(of: entry).journal, in: folder, O_RDWR | O_NOFOLLOW)
        let journal = PartJournal(descriptor: descriptor, end: reader.start)
        var left = chunks
        var rest: ChunkRuns.Run?
        while left > 0 {
            guard let run = reader.next() else { throw FileTransferProblem(.changed) }
            guard run.count <= left else {
                rest = ChunkRuns.Run(count: left, hash: run.hash)
                break
            }
            left -= run.count
            journal.end += UInt64(Self.recordSize)
        }
        let end = off_t(journal.end)
        try SystemCalls.call { ftruncate(descriptor, end) }
        // Of a run of which not all is kept.
        if let rest { try journal.append(rest.hash, count: rest.count) }
        return journal
    }

    /// Notes that a chunk was written, or several of the same content.
    func append(_ hash: [UInt8], count: UInt64 = 1) throws(FileTransferProblem) {
        try self.write(withUnsafeBytes(of: count.bigEndian) { Array($0) } + hash)
    }

    private func write(_ bytes: [UInt8]) throws(FileTransferProblem) {
        do {
            try bytes.withUnsafeBytes { try SystemCalls.write($0, to: self.descriptor, at: self.end) }
        } catch let problem as FileTransferProblem {
            throw problem
        } catch {
            throw FileTransferProblem(.other)
        }
        self.end += UInt64(bytes.count)
    }

    /// Which file it is: a digest of its path, size and time.
    private static func header(of entry: ManifestEntry) -> [UInt8] {
        var identity = withUnsafeBytes(of: entry.size.bigEndian) { Array($0) }
        identity += withUnsafeBytes(of: entry.modified.seconds.bigEndian) { Array($0) }
        identity += withUnsafeBytes(of: entry.modified.nanoseconds.bigEndian) { Array($0) }
        identity += entry.path.bytes
        return Self.magic + HashAlgorithm.sha256.digest(of: identity.span.bytes)
    }
}

extension PartJournal {
    /// Reads what was noted, some of it at a time: of a file of terabytes there is much.
    final class Reader {
        private static let blockSize = 1_024 * PartJournal.recordSize

        /// Where the records begin.
        let start: UInt64
        private let descriptor: Int32
        private var offset: UInt64
        private var block: ArraySlice<UInt8> = []

        /// Nil if there is no journal of an entry, or one of another state of the file.
        init?(_ entry: ManifestEntry, in folder: Int32) {
            let name = PartJournal.names(of: entry).journal
            let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
            guard let descriptor = try? SystemCalls.open(name, in: folder, flags) else { return nil }
            let header = PartJournal.header(of: entry)
            self.descriptor = descriptor
            self.start = UInt64(header.count)
            self.offset = self.start
            guard let status = try? SystemCalls.status(of: descriptor), status.isRegular,
                Self.read(header.count, from: descriptor, at: 0) == header
            else { return nil }
        }

        deinit { close(self.descriptor) }

        /// The next record; nil behind the last that is whole.
        func next() -> ChunkRuns.Run? {
            if self.block.count < PartJournal.recordSize {
                self.block = Self.read(Self.blockSize, from: self.descriptor, at: self.offset)[...]
                self.offset += UInt64(self.block.count)
            }
            guard self.block.count >= PartJournal.recordSize else { return nil }
            let record = self.block.prefix(PartJournal.recordSize)
            self.block = self.block.dropFirst(PartJournal.recordSize)
            let count = record.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return count > 0 ? ChunkRuns.Run(count: count, hash: Array(record.dropFirst(8))) : nil
        }

        private static func read(_ count: Int, from descriptor: Int32, at offset: UInt64) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            let read = bytes.withUnsafeMutableBytes { try? SystemCalls.read($0, from: descriptor, at: offset) }
            return Array(bytes.prefix(read ?? 0))
        }
    }
}

/// Base32 without padding (RFC 4648 section 6), in small letters: for names on file systems that do not tell them from capitals.
enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(Self.alphabet[Int(bits >> UInt32(count) & 31)])
            }
        }
        if count > 0 { text.append(Self.alphabet[Int(bits << UInt32(5 - count) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
