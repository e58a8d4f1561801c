internal import CRTCFiles

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file that is open for reading, chunk by chunk; closed when it is let go.
package final class ReadableFile {
    /// What a chunk is made of.
    package enum Content {
        /// The chunk was read.
        case bytes(Int)
        /// There is nothing but a hole, for so many chunks.
        case hole(chunks: UInt64)
    }

    /// Its size when it was opened.
    package let size: UInt64
    private let descriptor: Int32
    private let opened: stat
    /// Up to where there is data for sure.
    private var dataEnd: UInt64 = 0

    /// Takes over an open file.
    init(descriptor: Int32) throws(FileTransferProblem) {
        do {
            self.opened = try SystemCalls.status(of: descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.size = UInt64(max(0, self.opened.st_size))
    }

    deinit { close(self.descriptor) }

    var isRegular: Bool { self.opened.isRegular }
    var identity: FileIdentity { self.opened.identity }
    var modified: FileTime { self.opened.modified }

    /// Whether the file is still as it was when it was opened.
    func isUnchanged() -> Bool {
        guard let now = try? SystemCalls.status(of: self.descriptor) else { return false }
        return now.st_size == self.opened.st_size && now.modified == self.opened.modified
            && now.changed == self.opened.changed
    }

    /// Reads a chunk, or finds that a hole begins with it.
    ///
    /// - Parameter buffer: Room for a whole chunk.
    func read(chunk: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileTransferProblem) -> Content {
        let size = UInt64(HashTree.chunkSize)
        let start = chunk * size
        let end = min(start + size, self.size)
        guard start < end else { return .bytes(0) }
        if start >= self.dataEnd, let chunks = self.hole(at: start) { return .hole(chunks: chunks) }
        let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(end - start)])
        return .bytes(try SystemCalls.read(wanted, from: self.descriptor, at: start))
    }

    /// How many chunks from there on are nothing but a hole; nil if there is data in the first.
    private func hole(at start: UInt64) -> UInt64? {
        let size = UInt64(HashTree.chunkSize)
        // One chunk is read sooner than asked about.
        guard self.size > size else {
            self.dataEnd = self.size
            return nil
        }
        let left = HashTree.chunks(of: self.size - start)
        let data = crtc_seek_data(self.descriptor, Int64(start))
        if data < 0 {
            // No data behind that place; any other error means that holes are not known here.
            if errno == ENXIO { return left }
            self.dataEnd = self.size
            return nil
        }
        // The data may be behind where the file ended when it was opened.
        let chunks = min((UInt64(data) - start) / size, left)
        if chunks > 0 { return chunks }
        let hole = crtc_seek_hole(self.descriptor, data)
        self.dataEnd = hole < 0 ? self.size : UInt64(hole)
        return nil
    }
}
