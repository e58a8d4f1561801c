/// A call on the file system whose order with others decides what is there after a power failure.
package enum FileOperation: Sendable, Hashable {
    /// Bytes of a file were written.
    case write(FileIdentity?)
    /// A file, or the names in a folder, are to be on the disk before anything follows.
    case synchronize(FileIdentity?)
    /// The same for all of the file system.
    case synchronizeFileSystem
    /// A file gets a name.
    case name([UInt8], FileIdentity?)
}

extension SystemCalls {
    /// Told of each operation of the task before it is done; nil, the default, tells nobody.
    @TaskLocal package static var observer: (@Sendable (FileOperation) -> Void)?

    static func tell(_ operation: () -> FileOperation) {
        if let observer = Self.observer { observer(operation()) }
    }

    /// Which file has a name in a folder.
    package static func identity(of name: [UInt8], in folder: Int32) -> FileIdentity? {
        (try? Self.status(name, in: folder))?.identity
    }
}
