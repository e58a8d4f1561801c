/// Why a file cannot be read or written.
public struct MediaFileError: Error, Sendable, Hashable {
    /// What kind of failure this is.
    public enum Code: Sendable, Hashable {
        /// The system refused to open, read, write or close the file; the reason has its words.
        case inputOutput
        /// The bytes are not what the file's format demands.
        case malformed
        /// The file is sound, but has something that is not supported.
        case unsupported
        /// Something in the file is larger than the limit for it.
        case limitExceeded
        /// What the caller gave has no place in a file of this format.
        case invalidArgument
        /// The file was closed before.
        case closed
    }

    /// What kind of failure this is.
    public var code: Code
    /// Where in the file, in bytes from its beginning; `nil` where no place is at fault.
    public var offset: Int64?
    /// What is wrong there, in words.
    public var reason: String

    /// An error at an offset of the file, in bytes.
    public init(_ code: Code, _ reason: String, offset: Int64? = nil) {
        self.code = code
        self.offset = offset
        self.reason = reason
    }
}

extension MediaFileError: CustomStringConvertible {
    /// Kind, place and reason in one line.
    public var description: String {
        guard let offset = self.offset else { return "\(self.code): \(self.reason)" }
        return "\(self.code) at byte \(offset): \(self.reason)"
    }
}
