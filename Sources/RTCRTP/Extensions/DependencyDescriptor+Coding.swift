extension DependencyDescriptor {
    /// Reads a descriptor; `nil` if it is malformed, or needs a structure that is not known, or a template that is not in
    /// it.
    ///
    /// - Parameter structure: The last one of the stream; not needed where the descriptor has its own.
    public init?(_ bytes: RawSpan, structure: DependencyStructure?) {
        guard let head = DependencyDescriptorHead(bytes) else { return nil }
        self.init(
            isStartOfFrame: head.isStartOfFrame,
            isEndOfFrame: head.isEndOfFrame,
            templateID: head.templateID,
            frameNumber: head.frameNumber
        )
        guard bytes.byteCount > 3 else {
            guard let structure, self.template(in: structure) != nil else { return nil }
            return
        }
        var reader = DescriptorBitReader(3..<bytes.byteCount)
        guard self.readExtended(&reader, in: bytes, structure: structure) else { return nil }
    }

    private mutating func readExtended(
        _ reader: inout DescriptorBitReader,
        in bytes: RawSpan,
        structure known: DependencyStructure?
    ) -> Bool {
        let hasStructure = reader.flag(in: bytes)
        let hasActiveTargets = reader.flag(in: bytes)
        let hasIndications = reader.flag(in: bytes)
        let hasFrameDifferences = reader.flag(in: bytes)
        let hasChainDifferences = reader.flag(in: bytes)
        if hasStructure {
            guard let structure = DependencyStructure(&reader, in: bytes) else { return false }
            self.structure = structure
        }
        guard let structure = self.structure ?? known, self.template(in: structure) != nil else { return false }
        if hasActiveTargets { self.activeDecodeTargets = reader.bits(structure.decodeTargetCount, in: bytes) }
        if hasIndications {
            self.customIndications = Self.readIndications(structure.decodeTargetCount, &reader, in: bytes)
        }
        if hasFrameDifferences { self.customFrameDifferences = Self.readFrameDifferences(&reader, in: bytes) }
        if hasChainDifferences {
            var differences: [Int] = []
            for _ in 0..<structure.chainCount { differences.append(Int(reader.bits(8, in: bytes))) }
            self.customChainDifferences = differences
        }
        return !reader.hasFailed
    }

    static func readIndications(_ count: Int, _ reader: inout DescriptorBitReader, in bytes: RawSpan) -> [Indication] {
        var indications: [Indication] = []
        indications.reserveCapacity(count)
        for _ in 0..<count {
            indications.append(Indication(rawValue: UInt8(reader.bits(2, in: bytes))) ?? .notPresent)
        }
        return indications
    }

    private static func readFrameDifferences(_ reader: inout DescriptorBitReader, in bytes: RawSpan) -> [Int] {
        var differences: [Int] = []
        while true {
            let size = Int(reader.bits(2, in: bytes))
            if size == 0 { return differences }
            differences.append(Int(reader.bits(4 * size, in: bytes)) + 1)
        }
    }

    /// How many bytes the descriptor takes.
    ///
    /// - Parameter structure: The last one of the stream; not needed where the descriptor has its own.
    /// - Returns: `nil` if there is no structure, or the two do not go together or are out of range.
    public func byteCount(structure: DependencyStructure?) -> Int? {
        guard self.isValid(for: structure) else { return nil }
        var writer = DescriptorBitWriter(nil)
        self.write(&writer, structure: structure)
        return (writer.count + 7) / 8
    }

    /// The bytes of the descriptor.
    ///
    /// - Parameter structure: The last one of the stream; not needed where the descriptor has its own.
    /// - Returns: `nil` if there is no structure, or the two do not go together or are out of range.
    public func bytes(structure: DependencyStructure?) -> [UInt8]? {
        guard let count = self.byteCount(structure: structure) else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { memory in
            var writer = DescriptorBitWriter(memory)
            self.write(&writer, structure: structure)
        }
        return bytes
    }

    private func isValid(for known: DependencyStructure?) -> Bool {
        guard let structure = self.structure ?? known, self.structure?.isValid ?? true,
            (0..<64).contains(self.templateID), self.template(in: structure) != nil
        else { return false }
        let isWithinTargets =
            structure.decodeTargetCount >= 32 || (self.activeDecodeTargets ?? 0) >> structure.decodeTargetCount == 0
        return isWithinTargets
            && self.customIndications.map { $0.count == structure.decodeTargetCount } ?? true
            && self.customFrameDifferences.map { $0.allSatisfy((1...4096).contains) } ?? true
            && self.customChainDifferences.map {
                $0.count == structure.chainCount && $0.allSatisfy((0...255).contains)
            } ?? true
    }

    private var isExtended: Bool {
        self.structure != nil || self.activeDecodeTargets != nil || self.customIndications != nil
            || self.customFrameDifferences != nil || self.customChainDifferences != nil
    }

    private func write(_ writer: inout DescriptorBitWriter, structure known: DependencyStructure?) {
        writer.write(self.isStartOfFrame)
        writer.write(self.isEndOfFrame)
        writer.write(self.templateID, bits: 6)
        writer.write(self.frameNumber, bits: 16)
        guard self.isExtended, let structure = self.structure ?? known else { return }
        writer.write(self.structure != nil)
        writer.write(self.activeDecodeTargets != nil)
        writer.write(self.customIndications != nil)
        writer.write(self.customFrameDifferences != nil)
        writer.write(self.customChainDifferences != nil)
        self.structure?.write(&writer)
        if let targets = self.activeDecodeTargets { writer.write(targets, bits: structure.decodeTargetCount) }
        for indication in self.customIndications ?? [] { writer.write(indication.rawValue, bits: 2) }
        if let differences = self.customFrameDifferences { Self.write(differences, &writer) }
        for difference in self.customChainDifferences ?? [] { writer.write(difference, bits: 8) }
    }

    private static func write(_ differences: [Int], _ writer: inout DescriptorBitWriter) {
        for difference in differences {
            let size = difference <= 16 ? 1 : difference <= 256 ? 2 : 3
            writer.write(size, bits: 2)
            writer.write(difference - 1, bits: 4 * size)
        }
        writer.write(UInt8(0), bits: 2)
    }
}
