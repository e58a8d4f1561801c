#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What the system refused.
struct SocketError: Error, CustomStringConvertible {
    /// The system's number.
    let number: CInt

    var isInUse: Bool { self.number == EADDRINUSE }

    var description: String { String(cString: strerror(self.number)) }

    /// A result that is not negative, or the error that it stands for.
    static func check(_ result: CInt) throws -> CInt {
        guard result >= 0 else { throw SocketError(number: -result) }
        return result
    }
}
