/// All that is to be transferred, in the order of transfer: a directory stands before what is in it.
package struct Manifest: Sendable {
    /// The most entries that are taken.
    package static let maximumEntries = 1_000_000

    package private(set) var entries: [ManifestEntry] = []
    package private(set) var files = 0
    package private(set) var bytes: UInt64 = 0
    private var paths: Set<TransferPath> = []

    package init() {}

    /// Adds an entry; false if there is one of that path, or there are too many.
    package mutating func append(_ entry: ManifestEntry) -> Bool {
        let (bytes, isTooMuch) = self.bytes.addingReportingOverflow(entry.size)
        guard self.entries.count < Self.maximumEntries, !isTooMuch, entry.size <= UInt64(Int64.max),
            self.paths.insert(entry.path).inserted
        else { return false }
        self.entries.append(entry)
        self.bytes = bytes
        if entry.kind == .file { self.files += 1 }
        return true
    }
}
