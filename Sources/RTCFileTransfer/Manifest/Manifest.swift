/// All that is to be transferred, in the order of transfer: a directory stands before what is in it.
package struct Manifest: Sendable {
    /// The most entries that are taken.
    package static let maximumEntries = 1_000_000

    /// The most bytes that all paths together may have.
    package static let maximumPathBytes = 256 << 20

    package private(set) var entries: [ManifestEntry] = []
    package private(set) var files = 0
    package private(set) var bytes: UInt64 = 0
    private var paths: Set<TransferPath> = []
    /// How many bytes of paths are left.
    private var pathBytes: Int

    /// An empty list.
    package init(maximumPathBytes: Int = Self.maximumPathBytes) { self.pathBytes = maximumPathBytes }

    /// Adds an entry; false if there is one of that path, or there are too many, or their paths are too long together.
    package mutating func append(_ entry: ManifestEntry) -> Bool {
        let (bytes, isTooMuch) = self.bytes.addingReportingOverflow(entry.size)
        guard self.entries.count < Self.maximumEntries, !isTooMuch, entry.size <= UInt64(Int64.max),
            entry.path.bytes.count <= self.pathBytes, self.paths.insert(entry.path).inserted
        else { return false }
        self.entries.append(entry)
        self.bytes = bytes
        self.pathBytes -= entry.path.bytes.count
        if entry.kind == .file { self.files += 1 }
        return true
    }
}
