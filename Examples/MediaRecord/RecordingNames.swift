import ExampleSupport
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Names for one recording after another.
final class RecordingNames: Sendable {
    private let stem: Substring
    private let suffix: Substring
    private let overwrites: Bool
    private let count = Mutex(0)

    /// - Parameter path: The first name, with an extension.
    init(_ path: String, overwrites: Bool) {
        let dot = path.lastIndex(of: ".") ?? path.endIndex
        self.stem = path[..<dot]
        self.suffix = path[dot...]
        self.overwrites = overwrites
    }

    /// The next name.
    ///
    /// - Throws: `ExampleFailure` if there is such a file.
    func next() throws -> String {
        let number = self.count.withLock { count in
            count += 1
            return count
        }
        let name = number == 1 ? "\(self.stem)\(self.suffix)" : "\(self.stem)-\(number)\(self.suffix)"
        guard self.overwrites || access(name, F_OK) != 0 else { throw ExampleFailure("\(name) exists") }
        return name
    }
}
