#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Whole lines for whoever started this program, from any thread.
enum StandardOutput {
    static func write(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            // One write for a line of the usual size, so that lines of several threads do not mix.
            while let base = rest.baseAddress, !rest.isEmpty {
                #if canImport(Darwin)
                let written = Darwin.write(1, base, rest.count)
                #elseif canImport(Musl)
                let written = Musl.write(1, base, rest.count)
                #else
                let written = Glibc.write(1, base, rest.count)
                #endif
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
    }
}
