import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

extension DependencyDescriptor {
    init?(_ bytes: [UInt8], structure: DependencyStructure?) { self.init(bytes.span.bytes, structure: structure) }
}

extension DependencyDescriptorHead {
    init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }
}

@Suite("Dependency descriptors")
struct DependencyDescriptorTests {
    /// One spatial layer, two temporal ones: two decode targets, one chain.
    static let structure = DependencyStructure(
        templateIDOffset: 62,
        decodeTargetCount: 2,
        templates: [
            .init(
                spatialID: 0,
                temporalID: 0,
                indications: [.switch, .switch],
                frameDifferences: [],
                chainDifferences: [0]
            ),
            .init(
                spatialID: 0,
                temporalID: 0,
                indications: [.switch, .required],
                frameDifferences: [2],
                chainDifferences: [2]
            ),
            .init(
                spatialID: 0,
                temporalID: 1,
                indications: [.notPresent, .discardable],
                frameDifferences: [1, 16],
                chainDifferences: [1]
            ),
        ],
        chainCount: 1,
        protectingChains: [0, 0],
        resolutions: [.init(width: 1280, height: 720)]
    )

    @Test("a key frame's descriptor is the bits that the specification says")
    func keyFrame() throws {
        var descriptor = DependencyDescriptor(
            isStartOfFrame: true,
            isEndOfFrame: false,
            templateID: 62,
            frameNumber: 0x0102
        )
        descriptor.structure = Self.structure
        // Start, end, template, number; flags; offset, targets - 1; layers 0 1 3; indications; differences; chains;
        // no bits for protected-by; chain differences; resolution.
        let bits =
            "1 0 111110 0000000100000010" + "10000" + "111110 00001" + "00 01 11" + "1010 1011 0001"
            + "0 100010 1000011111 0" + "1 0" + "0000 0010 0001" + "1 0000010011111111 0000001011001111"
        let expected = Self.bytes(bits: bits)
        let bytes = try #require(descriptor.bytes(structure: nil))
        #expect(bytes == expected)
        #expect(DependencyDescriptor(bytes, structure: nil) == descriptor)
        let head = try #require(DependencyDescriptorHead(bytes))
        #expect(head.hasStructure && head.isStartOfFrame && !head.isEndOfFrame && head.frameNumber == 0x0102)
    }

    @Test("a frame that follows its template takes three bytes, and its template may be past number 63")
    func threeBytes() throws {
        let descriptor = DependencyDescriptor(
            isStartOfFrame: false,
            isEndOfFrame: true,
            templateID: 0,
            frameNumber: 0xFFFF
        )
        let bytes = try #require(descriptor.bytes(structure: Self.structure))
        #expect(bytes == Wire.bytes("40ffff"))
        #expect(DependencyDescriptor(bytes, structure: Self.structure) == descriptor)
        #expect(descriptor.template(in: Self.structure)?.temporalID == 1)
        #expect(descriptor.frameDifferences(in: Self.structure) == [1, 16])
        #expect(descriptor.chainDifferences(in: Self.structure) == [1])
        #expect(descriptor.indications(in: Self.structure) == [.notPresent, .discardable])
    }

    @Test("what differs from the template is written out and read back")
    func custom() throws {
        var descriptor = DependencyDescriptor(
            isStartOfFrame: true,
            isEndOfFrame: true,
            templateID: 63,
            frameNumber: 5
        )
        descriptor.activeDecodeTargets = 0b01
        descriptor.customIndications = [.required, .notPresent]
        descriptor.customFrameDifferences = [1, 16, 17, 256, 257, 4096]
        descriptor.customChainDifferences = [255]
        let bytes = try #require(descriptor.bytes(structure: Self.structure))
        #expect(DependencyDescriptor(bytes, structure: Self.structure) == descriptor)
        #expect(descriptor.frameDifferences(in: Self.structure).count == 6)
        #expect(descriptor.byteCount(structure: Self.structure) == bytes.count)
    }

    @Test("without the structure, or with another, a descriptor is not read")
    func missingStructure() {
        let bytes = Wire.bytes("40ffff")
        #expect(DependencyDescriptor(bytes, structure: nil) == nil)
        var other = Self.structure
        other.templateIDOffset = 1
        #expect(DependencyDescriptor(bytes, structure: other) == nil)
        #expect(DependencyDescriptor(Wire.bytes("40ff"), structure: Self.structure) == nil)
        // Active decode targets are announced, and there are no bits left for them.
        #expect(DependencyDescriptor(Wire.bytes("40ffff 78"), structure: Self.structure) == nil)
    }

    @Test("numbers below a limit take as few bits as they can", arguments: 1...33)
    func nonSymmetric(limit: Int) {
        for value in 0..<limit {
            var bytes = [UInt8](repeating: 0, count: 2)
            let width = bytes.withUnsafeMutableBytes { memory in
                var writer = DescriptorBitWriter(memory)
                writer.writeNonSymmetric(value, limit: limit)
                return writer.count
            }
            #expect(width <= Int.bitWidth - (limit - 1).leadingZeroBitCount)
            var reader = DescriptorBitReader(0..<2)
            let read = reader.nonSymmetric(limit, in: bytes.span.bytes)
            #expect(read == value)
            #expect(reader.remaining == 16 - width)
        }
    }

    @Test("the layers of a decode target are the highest that it needs")
    func layers() {
        #expect(Self.structure.layers(ofDecodeTarget: 0) == (0, 0))
        #expect(Self.structure.layers(ofDecodeTarget: 1) == (0, 1))
        #expect(Self.structure.layers(ofDecodeTarget: 7) == (0, 0))
    }

    @Test("structures that cannot be written are not")
    func invalid() {
        var descriptor = DependencyDescriptor(
            isStartOfFrame: true,
            isEndOfFrame: true,
            templateID: 62,
            frameNumber: 1
        )
        let changes: [(inout DependencyStructure) -> Void] = [
            { $0.templates = [] }, { $0.templates[0].temporalID = 1 }, { $0.templates[2].temporalID = 3 },
            { $0.templates[1].indications = [] }, { $0.templates[1].frameDifferences = [17] },
            { $0.templates[1].chainDifferences = [] }, { $0.protectingChains = [0] }, { $0.protectingChains = [0, 1] },
            { $0.decodeTargetCount = 33 }, { $0.templateIDOffset = 64 },
            { $0.resolutions = $0.resolutions + $0.resolutions },
        ]
        for (index, change) in changes.enumerated() {
            var structure = Self.structure
            change(&structure)
            descriptor.structure = structure
            #expect(descriptor.bytes(structure: nil) == nil, "change \(index)")
        }
        descriptor.structure = Self.structure
        descriptor.activeDecodeTargets = 4
        #expect(descriptor.bytes(structure: nil) == nil)
    }

    @Test("random structures and frames are read back as they were written", arguments: 0..<20)
    func roundTrip(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<30 {
            let structure = Self.randomStructure(using: &random)
            #expect(structure.isValid, "seed \(seed)")
            var descriptor = DependencyDescriptor(
                isStartOfFrame: random.next() % 2 == 0,
                isEndOfFrame: random.next() % 2 == 0,
                templateID: (structure.templateIDOffset + Int(random.next() % UInt64(structure.templates.count))) % 64,
                frameNumber: UInt16(truncatingIfNeeded: random.next())
            )
            let isKey = random.next() % 2 == 0
            if isKey { descriptor.structure = structure }
            if random.next() % 3 == 0 {
                descriptor.customChainDifferences = (0..<structure.chainCount).map { _ in Int(random.next() % 256) }
            }
            if random.next() % 3 == 0 { descriptor.customFrameDifferences = [1 + Int(random.next() % 4096)] }
            let known = isKey ? nil : structure
            let bytes = try #require(descriptor.bytes(structure: known), "seed \(seed)")
            #expect(DependencyDescriptor(bytes, structure: known) == descriptor, "seed \(seed)")
        }
    }

    @Test("hostile descriptors never trap, and what is read can be written", arguments: 0..<8)
    func mutations(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        var descriptor = DependencyDescriptor(isStartOfFrame: true, isEndOfFrame: true, templateID: 62, frameNumber: 1)
        descriptor.structure = Self.structure
        let sample = try #require(descriptor.bytes(structure: nil))
        for _ in 0..<2_000 {
            let bytes = Wire.mutated(sample, using: &random)
            guard let read = DependencyDescriptor(bytes, structure: Self.structure) else { continue }
            let known = read.structure ?? Self.structure
            guard known.isValid else { continue }
            let again = try #require(read.bytes(structure: Self.structure), "seed \(seed)")
            #expect(DependencyDescriptor(again, structure: Self.structure) == read, "seed \(seed)")
        }
    }

    private static func bytes(bits: String) -> [UInt8] {
        let digits = bits.filter { $0 != " " }.map { $0 == "1" ? UInt8(1) : 0 }
        return stride(from: 0, to: digits.count, by: 8).map { start in
            digits[start...].prefix(8).enumerated().reduce(0) { $0 | $1.element << UInt8(7 - $1.offset) }
        }
    }

    private static func randomStructure(using random: inout RandomSource) -> DependencyStructure {
        let targets = 1 + Int(random.next() % 32)
        let chains = Int(random.next() % UInt64(targets + 1))
        var (spatialID, temporalID) = (0, 0)
        var templates: [DependencyStructure.Template] = []
        for _ in 0...random.next() % 10 {
            templates.append(
                .init(
                    spatialID: spatialID,
                    temporalID: temporalID,
                    indications: (0..<targets).map { _ in .init(rawValue: UInt8(random.next() % 4)) ?? .required },
                    frameDifferences: (0..<random.next() % 4).map { _ in 1 + Int(random.next() % 16) },
                    chainDifferences: (0..<chains).map { _ in Int(random.next() % 16) }
                )
            )
            switch random.next() % 4 {
            case 0 where temporalID < 7: temporalID += 1
            case 1 where spatialID < 3: (spatialID, temporalID) = (spatialID + 1, 0)
            default: break
            }
        }
        var structure = DependencyStructure(
            templateIDOffset: Int(random.next() % 64),
            decodeTargetCount: targets,
            templates: templates,
            chainCount: chains,
            protectingChains: chains == 0 ? [] : (0..<targets).map { _ in Int(random.next() % UInt64(chains)) }
        )
        if random.next() % 2 == 0 {
            structure.resolutions = (0...structure.maximumSpatialID).map { .init(width: 16 << $0, height: 9 << $0) }
        }
        return structure
    }
}
