/// Why a media file could not be read or written.
public enum MediaFileError: Error, Sendable, Hashable {
    /// The bytes are not what the format asks for.
    case malformed(String)
    /// The operating system refused; its error number.
    case system(errno: Int32)
    /// What was to be written does not fit the format.
    case unsupported(String)
}
