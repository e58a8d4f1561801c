/// One thing that is to be transferred.
package struct ManifestEntry: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        case file = 0
        case directory = 1
    }

    package var kind: Kind
    package var path: TransferPath
    /// The permission bits, 0 to 0o777; set-user-id and the like are left behind.
    package var mode: UInt16
    /// When it was changed last, since 1970.
    package var modified: FileTime
    /// The size of a file in bytes.
    package var size: UInt64

    package init(kind: Kind, path: TransferPath, mode: UInt16, modified: FileTime, size: UInt64) {
        self.kind = kind
        self.path = path
        self.mode = mode & 0o777
        self.modified = modified
        self.size = size
    }
}

/// A time of a file: seconds since 1970 and nanoseconds.
package struct FileTime: Sendable, Hashable {
    package var seconds: Int64
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}
