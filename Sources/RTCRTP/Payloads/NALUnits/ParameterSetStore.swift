/// The parameter sets that a stream had so far, the newest of each number.
struct ParameterSetStore<Syntax: NALSyntax>: Sendable {
    private var sets: [(key: ParameterSetKey, unit: [UInt8])] = []

    /// More sets than this are not kept.
    static var maximumCount: Int { 32 }
    /// Larger sets are not kept.
    static var maximumSize: Int { 1024 }

    /// Keeps `unit` if it is a parameter set.
    mutating func learn(_ unit: UnsafeRawBufferPointer) {
        guard unit.count <= Self.maximumSize, let key = Syntax.parameterSet(unit) else { return }
        if let index = self.sets.firstIndex(where: { $0.key.kind == key.kind && $0.key.id == key.id }) {
            if self.sets[index].unit.count == unit.count, self.sets[index].unit.elementsEqual(unit) { return }
            self.sets[index] = (key, Array(unit))
        } else if self.sets.count < Self.maximumCount {
            self.sets.append((key, Array(unit)))
        }
    }

    /// The sets that the picture parameter set `id` needs, itself included, that are not in `present`: in the order of sending.
    /// `nil` if one of them is not known.
    func missing(for id: UInt32, present: [ParameterSetKey]) -> [[UInt8]]? {
        var missing: [[UInt8]] = []
        var wanted: (kind: ParameterSetKey.Kind, id: UInt32)? = (.picture, id)
        while let (kind, id) = wanted {
            let key: ParameterSetKey
            if let found = present.last(where: { $0.kind == kind && $0.id == id }) {
                key = found
            } else if let known = self.sets.first(where: { $0.key.kind == kind && $0.key.id == id }) {
                key = known.key
                missing.insert(known.unit, at: 0)
            } else {
                return nil
            }
            switch (kind, key.parent) {
            case (.picture, let parent?): wanted = (.sequence, parent)
            case (.sequence, let parent?): wanted = (.video, parent)
            default: wanted = nil
            }
        }
        return missing
    }
}
