internal import NIOCore

/// Puts access units together from packets of NAL units, aggregates and fragments.
struct NALUnitDepacketizer<Syntax: NALSyntax>: Sendable {
    private(set) var assembly: FrameAssembly
    var sets = ParameterSetStore<Syntax>()

    /// Where the unit under way begins in the frame, start code not included.
    private var unitStart = 0
    /// The header of the fragmented unit under way.
    private var fragmented: NALHeader?
    private var present: [ParameterSetKey] = []
    private var kinds: Set<ParameterSetKey.Kind> = []
    /// The picture parameter set that the first slice to begin with refers to; the inner `nil` is one that cannot be read.
    private var pictureParameterSet: UInt32??
    private var hasIntraSlice = false
    /// Where parameter sets may be inserted: behind a delimiter that comes first.
    private var endOfDelimiter = 0

    init(limits: DepacketizerLimits) { self.assembly = FrameAssembly(limits: limits) }

    mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.assembly.begin(timestamp: timestamp, isStartKnown: isStartKnown)
        self.fragmented = nil
        self.present.removeAll(keepingCapacity: true)
        self.kinds.removeAll(keepingCapacity: true)
        self.pictureParameterSet = nil
        self.hasIntraSlice = false
        self.endOfDelimiter = 0
    }

    /// Takes in a payload whose header was read.
    mutating func append(_ header: NALHeader, _ body: UnsafeRawBufferPointer) {
        let type = Syntax.type(header)
        if type == Syntax.fragmentType { return self.appendFragment(header, body) }
        guard self.fragmented == nil else { return self.assembly.fail(.unfinishedFragment) }
        if type == Syntax.aggregateType { return self.appendAggregate(body) }
        guard Syntax.isPlain(type) else { return self.assembly.fail(.unsupportedPacket) }
        self.beginUnit(header)
        self.assembly.write(body)
        self.endUnit()
    }

    mutating func refuse(_ error: DepacketizationError) { self.assembly.fail(error) }

    mutating func admit(_ descriptor: RTPPayloadDescriptor?, sequenceNumber: UInt16) -> Bool {
        self.assembly.admit(descriptor, sequenceNumber: sequenceNumber)
    }

    private mutating func appendAggregate(_ body: UnsafeRawBufferPointer) {
        var reader = PayloadReader(body)
        guard reader.remaining > 0 else { return self.assembly.fail(.emptyPayload) }
        while reader.remaining > 0 {
            let size = Int(reader.uint16())
            guard !reader.isExhausted, size >= Syntax.headerSize, let unit = reader.run(size) else {
                return self.assembly.fail(.invalidAggregate)
            }
            guard Syntax.isPlain(Syntax.type(of: unit)) else { return self.assembly.fail(.invalidAggregate) }
            self.beginUnit(Syntax.header(of: unit))
            self.assembly.write(UnsafeRawBufferPointer(rebasing: unit[Syntax.headerSize...]))
            self.endUnit()
        }
    }

    private mutating func appendFragment(_ header: NALHeader, _ body: UnsafeRawBufferPointer) {
        guard body.count > 1 else { return self.assembly.fail(.emptyPayload) }
        let begins = body[0] & 0x80 != 0
        let ends = body[0] & 0x40 != 0
        let type = body[0] & Syntax.fragmentTypeMask
        // A unit in a single fragment would be no fragment (RFC 6184 section 5.8, RFC 7798 section 4.4.3).
        guard !(begins && ends), Syntax.isPlain(type) else { return self.assembly.fail(.malformedHeader) }
        let unit = Syntax.header(header, as: type)
        if begins {
            guard self.fragmented == nil else { return self.assembly.fail(.unfinishedFragment) }
            self.beginUnit(unit)
            self.fragmented = unit
        }
        guard self.fragmented == unit else { return self.assembly.fail(.unexpectedFragment) }
        self.assembly.write(UnsafeRawBufferPointer(rebasing: body[1...]))
        guard ends else { return }
        self.fragmented = nil
        self.endUnit()
    }

    private mutating func beginUnit(_ header: NALHeader) {
        self.assembly.writeStartCode()
        self.unitStart = self.assembly.buffer.readableBytes
        self.assembly.write(header.first)
        if Syntax.headerSize > 1 { self.assembly.write(header.second) }
    }

    /// Learns from the unit that is now whole.
    private mutating func endUnit() {
        guard self.assembly.failure == nil else { return }
        let start = self.unitStart
        let end = self.assembly.buffer.readableBytes
        let buffer = self.assembly.buffer
        buffer.withUnsafeReadableBytes { bytes in
            let unit = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            let type = Syntax.type(of: unit)
            if let kind = Syntax.parameterSetKind(type) {
                self.kinds.insert(kind)
                self.sets.learn(unit)
                if let key = Syntax.parameterSet(unit) { self.present.append(key) }
            } else if Syntax.isRandomAccess(type) {
                if self.pictureParameterSet == nil {
                    self.pictureParameterSet = .some(Syntax.pictureParameterSet(ofSlice: unit))
                }
            } else if Syntax.isSlice(type) {
                self.hasIntraSlice = self.hasIntraSlice || Syntax.isIntraSlice(unit)
            } else if Syntax.isDelimiter(type) && start == 4 {
                self.endOfDelimiter = end
            }
        }
    }

    mutating func finish() -> Result<EncodedFrame, DepacketizationError> {
        if self.fragmented != nil { self.assembly.fail(.unfinishedFragment) }
        var isKeyFrame = self.hasIntraSlice && self.kinds.contains(.sequence)
        if let id = self.pictureParameterSet {
            isKeyFrame = true
            self.completeParameterSets(for: id)
        }
        return self.assembly.finish(isKeyFrame: isKeyFrame)
    }

    /// Inserts what a picture to begin with needs and lacks, so that it can be decoded by itself.
    private mutating func completeParameterSets(for id: UInt32?) {
        guard self.assembly.failure == nil else { return }
        guard let id, let missing = self.sets.missing(for: id, present: self.present) else {
            // Sets that cannot be read are the decoder's matter.
            if !self.kinds.contains(.sequence) || !self.kinds.contains(.picture) {
                self.assembly.fail(.missingParameterSets)
            }
            return
        }
        guard !missing.isEmpty else { return }
        let original = self.assembly.buffer
        self.assembly.buffer = ByteBuffer()
        original.withUnsafeReadableBytes { bytes in
            self.assembly.write(UnsafeRawBufferPointer(rebasing: bytes[..<self.endOfDelimiter]))
            for set in missing {
                self.assembly.writeStartCode()
                set.withUnsafeBytes { self.assembly.write($0) }
            }
            self.assembly.write(UnsafeRawBufferPointer(rebasing: bytes[self.endOfDelimiter...]))
        }
    }

    /// What one packet says of itself, its header read.
    static func descriptor(
        _ header: NALHeader,
        _ body: UnsafeRawBufferPointer,
        marker: Bool
    ) -> RTPPayloadDescriptor? {
        var descriptor = RTPPayloadDescriptor(beginsFrame: nil, endsFrame: marker, isKeyFrame: false)
        let type = Syntax.type(header)
        if type == Syntax.fragmentType {
            guard body.count > 1 else { return nil }
            let unit = body[0] & Syntax.fragmentTypeMask
            descriptor.isKeyFrame = Syntax.showsKeyFrame(unit)
            descriptor.beginsFrame = body[0] & 0x80 == 0 ? false : self.beginsFrame(unit, firstByte: body[1])
            Syntax.describe(header, type: unit, in: &descriptor)
        } else if type == Syntax.aggregateType {
            guard self.describeAggregate(body, in: &descriptor) else { return nil }
        } else {
            guard Syntax.isPlain(type) else { return nil }
            descriptor.isKeyFrame = Syntax.showsKeyFrame(type)
            descriptor.beginsFrame = self.beginsFrame(type, firstByte: body.first)
            Syntax.describe(header, type: type, in: &descriptor)
        }
        return descriptor
    }

    private static func describeAggregate(
        _ body: UnsafeRawBufferPointer,
        in descriptor: inout RTPPayloadDescriptor
    ) -> Bool {
        var reader = PayloadReader(body)
        var isFirst = true
        while reader.remaining > 0 {
            let size = Int(reader.uint16())
            guard !reader.isExhausted, size >= Syntax.headerSize, let unit = reader.run(size) else { return false }
            let header = Syntax.header(of: unit)
            let type = Syntax.type(header)
            if isFirst {
                let firstByte = unit.count > Syntax.headerSize ? unit[Syntax.headerSize] : nil
                descriptor.beginsFrame = self.beginsFrame(type, firstByte: firstByte)
                Syntax.describe(header, type: type, in: &descriptor)
            }
            descriptor.isKeyFrame = descriptor.isKeyFrame || Syntax.showsKeyFrame(type)
            isFirst = false
        }
        return !isFirst
    }

    private static func beginsFrame(_ type: UInt8, firstByte: UInt8?) -> Bool? {
        if Syntax.isFirstInFrame(type) { return true }
        guard Syntax.isSlice(type), let firstByte else { return nil }
        return Syntax.isFirstSlice(type, firstByte: firstByte) ? nil : false
    }
}
