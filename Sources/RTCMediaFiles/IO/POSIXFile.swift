#if canImport(Darwin)
internal import Darwin
#elseif canImport(Musl)
internal import Musl
#else
internal import Glibc
#endif

/// An open file of the system; closed when the last reference goes.
final class POSIXFile {
    private var descriptor: CInt

    /// Opens a file for reading.
    init(reading path: String) throws(MediaFileError) {
        self.descriptor = Self.retried { open(path, O_RDONLY | O_CLOEXEC) }
        guard self.descriptor >= 0 else { throw Self.failure("open \(path)") }
    }

    /// Makes a file, or empties the one that is there.
    init(writing path: String) throws(MediaFileError) {
        self.descriptor = Self.retried { open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) }
        guard self.descriptor >= 0 else { throw Self.failure("create \(path)") }
    }

    deinit {
        if self.descriptor >= 0 { _ = Self.systemClose(self.descriptor) }
    }

    /// Reads into `buffer`; returns how many bytes, 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(MediaFileError) -> Int {
        let count = Self.retried { Self.systemRead(self.descriptor, buffer) }
        guard count >= 0 else { throw Self.failure("read", offset: offset) }
        return count
    }

    /// Writes all of `bytes` at the end of what was written.
    func write(_ bytes: UnsafeRawBufferPointer) throws(MediaFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let slice = UnsafeRawBufferPointer(rebasing: rest)
            let count = Self.retried { Self.systemWrite(self.descriptor, slice) }
            guard count > 0 else { throw Self.failure("write") }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes all of `bytes` over what is at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(MediaFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let slice = UnsafeRawBufferPointer(rebasing: rest)
            let place = offset + Int64(bytes.count - rest.count)
            let count = Self.retried { pwrite(self.descriptor, slice.baseAddress, slice.count, off_t(place)) }
            guard count > 0 else { throw Self.failure("write", offset: place) }
            rest = rest.dropFirst(count)
        }
    }

    /// Back to the first byte.
    func rewind() throws(MediaFileError) {
        guard lseek(self.descriptor, 0, SEEK_SET) == 0 else { throw Self.failure("rewind") }
    }

    /// Closes the file, and says whether the system had kept its promises.
    func close() throws(MediaFileError) {
        let descriptor = self.descriptor
        self.descriptor = -1
        guard descriptor >= 0, Self.systemClose(descriptor) == 0 else { throw Self.failure("close") }
    }

    private static func retried<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    private static func failure(_ action: String, offset: Int64? = nil) -> MediaFileError {
        MediaFileError(.inputOutput, "cannot \(action): \(String(cString: strerror(errno)))", offset: offset)
    }

    // The methods above hide the system's functions of the same name.
    private static func systemRead(_ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Darwin)
        Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
        Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
        Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }

    private static func systemWrite(_ descriptor: CInt, _ buffer: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
        Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
        Musl.write(descriptor, buffer.baseAddress, buffer.count)
        #else
        Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }

    private static func systemClose(_ descriptor: CInt) -> CInt {
        #if canImport(Darwin)
        Darwin.close(descriptor)
        #elseif canImport(Musl)
        Musl.close(descriptor)
        #else
        Glibc.close(descriptor)
        #endif
    }
}
