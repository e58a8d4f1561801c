#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Lines for people who look for what went wrong.
enum StandardError {
    static func write(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { bytes in
            #if canImport(Darwin)
            _ = Darwin.write(2, bytes.baseAddress, bytes.count)
            #elseif canImport(Musl)
            _ = Musl.write(2, bytes.baseAddress, bytes.count)
            #else
            _ = Glibc.write(2, bytes.baseAddress, bytes.count)
            #endif
        }
    }
}
