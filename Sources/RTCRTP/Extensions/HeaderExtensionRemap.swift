/// Which id each element of a header extension gets when a packet is forwarded.
public struct HeaderExtensionRemap: Sendable, Hashable {
    // By the old id; 0 drops the element.
    private var table: [UInt8]

    /// A table that drops every element.
    public init() { self.table = [UInt8](repeating: 0, count: 256) }

    /// A table from what one side agreed on to what the other one did. Elements that either does not know are dropped.
    ///
    /// - Parameter kinds: The extensions that are kept; the others are dropped, as those that have to be written anew.
    public init(
        from source: HeaderExtensionMap,
        to destination: HeaderExtensionMap,
        keeping kinds: some Sequence<HeaderExtensionKind> = HeaderExtensionKind.allCases
    ) {
        self.init()
        for kind in kinds {
            guard let old = source[kind], let new = destination[kind] else { continue }
            self.table[Int(old)] = new
        }
    }

    /// The new id for an old one; `nil` drops the element. What is set for id 0 counts for nothing.
    public subscript(id: UInt8) -> UInt8? {
        get {
            let new = self.table[Int(id)]
            return id == 0 || new == 0 ? nil : new
        }
        set { self.table[Int(id)] = newValue ?? 0 }
    }
}
