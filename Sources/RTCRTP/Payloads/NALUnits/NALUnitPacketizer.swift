internal import NIOCore
internal import RTCBase

/// Puts the NAL units of access units into packets: alone, together or in fragments.
struct NALUnitPacketizer<Syntax: NALSyntax>: Sendable {
    private enum Unit {
        /// A range of the frame.
        case inFrame(Range<Int>)
        /// A parameter set of an earlier frame.
        case stored([UInt8])

        var count: Int {
            switch self {
            case .inFrame(let range): range.count
            case .stored(let bytes): bytes.count
            }
        }
    }

    /// Whether units are aggregated and fragmented.
    let dividesAndJoins: Bool
    /// Whether a key frame without parameter sets gets those of an earlier frame.
    var repeatsParameterSets = true
    var sets = ParameterSetStore<Syntax>()

    private var units: [Unit] = []
    private var present: [ParameterSetKey] = []
    private var builder = PayloadBuilder()
    private var isFirst = true

    init(dividesAndJoins: Bool) { self.dividesAndJoins = dividesAndJoins }

    private static var minimumPayloadSize: Int { Syntax.headerSize + 2 }

    mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        // Sizes inside an aggregate have 16 bits.
        let maximum = min(maximumPayloadSize, Int(UInt16.max))
        guard maximum >= Self.minimumPayloadSize else {
            throw .maximumPayloadSizeTooSmall(minimum: Self.minimumPayloadSize)
        }
        let error: PacketizationError? = frame.payload.withUnsafeReadableBytes { bytes in
            do throws(PacketizationError) {
                try self.collect(bytes)
                try self.check(maximum)
                self.send(bytes, maximum, emit)
                return nil
            } catch {
                return error
            }
        }
        self.units.removeAll(keepingCapacity: true)
        if let error { throw error }
    }

    /// Lists the units of the frame, with the parameter sets that it needs and lacks.
    private mutating func collect(_ bytes: UnsafeRawBufferPointer) throws(PacketizationError) {
        guard !bytes.isEmpty else { throw .emptyFrame }
        self.units.removeAll(keepingCapacity: true)
        self.present.removeAll(keepingCapacity: true)
        var slice: Range<Int>?
        var walk = AnnexB()
        while let range = walk.next(in: bytes) {
            let unit = UnsafeRawBufferPointer(rebasing: bytes[range])
            guard unit.count >= Syntax.headerSize else { throw .malformedFrame }
            let type = Syntax.type(of: unit)
            guard Syntax.isPlain(type) else { throw .unsupportedUnit(type: type) }
            self.units.append(.inFrame(range))
            if Syntax.parameterSetKind(type) != nil {
                self.sets.learn(unit)
                if let key = Syntax.parameterSet(unit) { self.present.append(key) }
            }
            if slice == nil && Syntax.isRandomAccess(type) { slice = range }
        }
        guard let first = self.units.first else { throw .malformedFrame }
        guard self.repeatsParameterSets, let slice,
            let id = Syntax.pictureParameterSet(ofSlice: UnsafeRawBufferPointer(rebasing: bytes[slice])),
            let missing = self.sets.missing(for: id, present: self.present)
        else { return }
        let index = Syntax.isDelimiter(Self.type(of: first, in: bytes)) ? 1 : 0
        self.units.insert(contentsOf: missing.map { .stored($0) }, at: index)
    }

    private func check(_ maximum: Int) throws(PacketizationError) {
        let capacity = maximum - Syntax.headerSize - 1
        var packets = 0
        for unit in self.units {
            if unit.count > maximum && !self.dividesAndJoins { throw .indivisible(byteCount: unit.count) }
            packets += unit.count / capacity + 1
        }
        guard packets < maximumPacketsPerFrame else { throw .tooManyPackets }
    }

    private mutating func send(_ bytes: UnsafeRawBufferPointer, _ maximum: Int, _ emit: (RTPPayload) -> Void) {
        self.isFirst = true
        var index = 0
        while index < self.units.count {
            let unit = self.units[index]
            if unit.count > maximum {
                self.sendFragments(of: unit, isLast: index == self.units.count - 1, bytes, maximum, emit)
                index += 1
                continue
            }
            let end = self.dividesAndJoins ? self.endOfAggregate(from: index, maximum) : index + 1
            if end - index > 1 { self.appendAggregate(index..<end, bytes) } else { self.append(unit, 0..<unit.count) }
            self.emit(isLast: end == self.units.count, emit)
            index = end
        }
    }

    private mutating func emit(isLast: Bool, _ emit: (RTPPayload) -> Void) {
        self.builder.emit(marker: isLast, beginsFrame: self.isFirst, emit)
        self.isFirst = false
    }

    /// The first unit that does not fit into one packet with those from `start` on.
    private func endOfAggregate(from start: Int, _ maximum: Int) -> Int {
        var size = Syntax.headerSize
        var end = start
        while end < self.units.count, size + 2 + self.units[end].count <= maximum {
            size += 2 + self.units[end].count
            end += 1
        }
        return max(end, start + 1)
    }

    private mutating func appendAggregate(_ indices: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
        var header = Self.header(of: self.units[indices.lowerBound], in: bytes)
        for index in indices { header = Syntax.merge(header, Self.header(of: self.units[index], in: bytes)) }
        self.append(header)
        for index in indices {
            let unit = self.units[index]
            self.builder.append(uint16: UInt16(unit.count))
            self.append(unit, 0..<unit.count)
        }
    }

    private mutating func sendFragments(
        of unit: Unit,
        isLast: Bool,
        _ bytes: UnsafeRawBufferPointer,
        _ maximum: Int,
        _ emit: (RTPPayload) -> Void
    ) {
        let header = Self.header(of: unit, in: bytes)
        let type = Syntax.type(header)
        let split = EvenSplit(unit.count - Syntax.headerSize, capacity: maximum - Syntax.headerSize - 1)
        for part in 0..<split.count {
            let ends = part == split.count - 1
            self.append(Syntax.header(header, as: Syntax.fragmentType))
            self.builder.append((part == 0 ? 0x80 : 0) | (ends ? 0x40 : 0) | type)
            let range = split.range(part)
            self.append(unit, range.lowerBound + Syntax.headerSize..<range.upperBound + Syntax.headerSize)
            self.emit(isLast: isLast && ends, emit)
        }
    }

    private mutating func append(_ header: NALHeader) {
        self.builder.append(header.first)
        if Syntax.headerSize > 1 { self.builder.append(header.second) }
    }

    /// Appends the bytes of a unit in `range`, counted from its first.
    private mutating func append(_ unit: Unit, _ range: Range<Int>) {
        switch unit {
        case .inFrame(let whole):
            self.builder.append(frame: whole.lowerBound + range.lowerBound..<whole.lowerBound + range.upperBound)
        case .stored(let bytes):
            self.builder.append(bytes: bytes[range])
        }
    }

    private static func header(of unit: Unit, in bytes: UnsafeRawBufferPointer) -> NALHeader {
        switch unit {
        case .inFrame(let range): Syntax.header(of: UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .stored(let bytes): bytes.withUnsafeBytes { Syntax.header(of: $0) }
        }
    }

    private static func type(of unit: Unit, in bytes: UnsafeRawBufferPointer) -> UInt8 {
        Syntax.type(self.header(of: unit, in: bytes))
    }
}
