extension DependencyStructure {
    /// Reads a structure (AV1 RTP specification, appendix A.8.3); `nil` if a number is out of range.
    init?(_ reader: inout DescriptorBitReader, in bytes: RawSpan) {
        self.init(
            templateIDOffset: Int(reader.bits(6, in: bytes)),
            decodeTargetCount: Int(reader.bits(5, in: bytes)) + 1,
            templates: []
        )
        guard self.readLayers(&reader, in: bytes) else { return nil }
        self.readIndications(&reader, in: bytes)
        self.readFrameDifferences(&reader, in: bytes)
        self.readChains(&reader, in: bytes)
        if reader.flag(in: bytes) {
            for _ in 0...self.maximumSpatialID {
                let width = Int(reader.bits(16, in: bytes)) + 1
                self.resolutions.append(Resolution(width: width, height: Int(reader.bits(16, in: bytes)) + 1))
            }
        }
        guard !reader.hasFailed else { return nil }
    }

    private mutating func readLayers(_ reader: inout DescriptorBitReader, in bytes: RawSpan) -> Bool {
        var (spatialID, temporalID) = (0, 0)
        while true {
            guard self.templates.count < 64, spatialID < 4, temporalID < 8, !reader.hasFailed else { return false }
            self.templates.append(
                Template(
                    spatialID: spatialID,
                    temporalID: temporalID,
                    indications: [],
                    frameDifferences: [],
                    chainDifferences: []
                )
            )
            switch reader.bits(2, in: bytes) {
            case 1: temporalID += 1
            case 2: (spatialID, temporalID) = (spatialID + 1, 0)
            case 3: return true
            default: break
            }
        }
    }

    private mutating func readIndications(_ reader: inout DescriptorBitReader, in bytes: RawSpan) {
        for index in self.templates.indices {
            self.templates[index].indications = DependencyDescriptor.readIndications(
                self.decodeTargetCount,
                &reader,
                in: bytes
            )
        }
    }

    private mutating func readFrameDifferences(_ reader: inout DescriptorBitReader, in bytes: RawSpan) {
        for index in self.templates.indices {
            while reader.flag(in: bytes) {
                self.templates[index].frameDifferences.append(Int(reader.bits(4, in: bytes)) + 1)
            }
        }
    }

    private mutating func readChains(_ reader: inout DescriptorBitReader, in bytes: RawSpan) {
        self.chainCount = reader.nonSymmetric(self.decodeTargetCount + 1, in: bytes)
        guard self.chainCount > 0 else { return }
        for _ in 0..<self.decodeTargetCount {
            self.protectingChains.append(reader.nonSymmetric(self.chainCount, in: bytes))
        }
        for index in self.templates.indices {
            for _ in 0..<self.chainCount {
                self.templates[index].chainDifferences.append(Int(reader.bits(4, in: bytes)))
            }
        }
    }

    /// Writes the structure, which is valid.
    func write(_ writer: inout DescriptorBitWriter) {
        writer.write(self.templateIDOffset, bits: 6)
        writer.write(self.decodeTargetCount - 1, bits: 5)
        for (first, second) in zip(self.templates, self.templates.dropFirst()) {
            writer.write(Self.step(from: first, to: second) ?? 0, bits: 2)
        }
        writer.write(UInt8(3), bits: 2)
        for template in self.templates {
            for indication in template.indications { writer.write(indication.rawValue, bits: 2) }
        }
        for template in self.templates {
            for difference in template.frameDifferences {
                writer.write(true)
                writer.write(difference - 1, bits: 4)
            }
            writer.write(false)
        }
        self.writeChains(&writer)
        writer.write(!self.resolutions.isEmpty)
        for resolution in self.resolutions {
            writer.write(resolution.width - 1, bits: 16)
            writer.write(resolution.height - 1, bits: 16)
        }
    }

    private func writeChains(_ writer: inout DescriptorBitWriter) {
        writer.writeNonSymmetric(self.chainCount, limit: self.decodeTargetCount + 1)
        for chain in self.protectingChains { writer.writeNonSymmetric(chain, limit: self.chainCount) }
        for template in self.templates {
            for difference in template.chainDifferences { writer.write(difference, bits: 4) }
        }
    }
}
