#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Lines for the program that started this one, which may be a pipe: each is written at once.
package enum StandardOutput {
    package static func write(_ line: String) {
        print(line)
        fflush(nil)
    }
}
