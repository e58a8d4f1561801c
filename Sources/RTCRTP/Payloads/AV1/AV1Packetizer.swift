internal import NIOCore

/// AV1 temporal units to packets (AOM's RTP payload format for AV1).
///
/// Size fields, temporal delimiters and tile lists are left out. Up to three OBUs of the same layer share a packet.
public struct AV1Packetizer: RTPPacketizer {
    private struct Element {
        var header: UInt8
        var headerExtension: UInt8?
        var payload: Range<Int>

        var headerSize: Int { self.headerExtension == nil ? 1 : 2 }
        var count: Int { self.headerSize + self.payload.count }
    }

    private var elements: [Element] = []
    private var beginsSequence = false
    private var builder = PayloadBuilder()

    /// A packetizer of one stream.
    public init() {}

    /// The smallest payload: the aggregation header, two bytes of OBU header and one of data.
    private static let minimumPayloadSize = 4

    /// Cuts a temporal unit into payloads.
    public mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        guard maximumPayloadSize >= Self.minimumPayloadSize else {
            throw .maximumPayloadSizeTooSmall(minimum: Self.minimumPayloadSize)
        }
        try requireDivisible(byteCount: frame.payload.readableBytes, capacity: maximumPayloadSize - 1)
        guard frame.payload.withUnsafeReadableBytes({ self.collect($0) }) else { throw .malformedFrame }
        guard !self.elements.isEmpty else { throw .emptyFrame }
        guard self.elements.count < maximumPacketsPerFrame / 2 else { throw .tooManyPackets }
        self.send(maximumPayloadSize, emit)
    }

    /// Lists the units to send; `false` if one is broken.
    private mutating func collect(_ bytes: UnsafeRawBufferPointer) -> Bool {
        self.elements.removeAll(keepingCapacity: true)
        var hasSequenceHeader = false
        var isReduced = false
        var isKeyFrame: Bool?
        var offset = 0
        while offset < bytes.count {
            guard let unit = AV1OBU(bytes: bytes, at: offset) else { return false }
            offset = unit.range.upperBound
            guard unit.type != AV1OBU.temporalDelimiter && unit.type != AV1OBU.tileList else { continue }
            self.elements.append(
                Element(
                    header: unit.header & ~AV1OBU.sizeFlag,
                    headerExtension: unit.headerExtension,
                    payload: unit.payload
                )
            )
            if unit.type == AV1OBU.sequenceHeader {
                hasSequenceHeader = true
                let header = AV1SequenceHeader(bytes: UnsafeRawBufferPointer(rebasing: bytes[unit.payload]))
                isReduced = header?.isReducedStillPicture ?? false
            } else if isKeyFrame == nil && (unit.type == AV1OBU.frame || unit.type == AV1OBU.frameHeader) {
                isKeyFrame = unit.isKeyFrame(in: bytes, isReduced: isReduced)
            }
        }
        self.beginsSequence = hasSequenceHeader && isKeyFrame ?? false
        return true
    }

    private mutating func send(_ maximum: Int, _ emit: (RTPPayload) -> Void) {
        var isFirst = true
        var index = 0
        // How much of the element at `index` is sent.
        var sent = 0
        while index < self.elements.count {
            let isContinuation = sent > 0
            self.builder.append(0)
            var count: UInt8 = 0
            var isContinued = false
            while true {
                let element = self.elements[index]
                let room = maximum - self.builder.byteCount
                let left = element.count - sent
                count += 1
                guard left <= room else {
                    self.append(element, sent..<sent + room)
                    sent += room
                    isContinued = true
                    break
                }
                let joins = count < 3 && self.canJoin(after: index, left: left, room: room)
                if joins { self.builder.append(leb128: left) }
                self.append(element, sent..<element.count)
                sent = 0
                index += 1
                if !joins { break }
            }
            let header = AV1AggregationHeader(
                continuesElement: isContinuation,
                isContinued: isContinued,
                elementCount: count,
                beginsSequence: isFirst && self.beginsSequence
            )
            self.builder.setFirstByte(header.byte)
            self.builder.emit(marker: index == self.elements.count, beginsFrame: isFirst, emit)
            isFirst = false
        }
    }

    /// Whether the element behind `index` goes into the same packet: of the same layer, and with room for its header and data.
    private func canJoin(after index: Int, left: Int, room: Int) -> Bool {
        guard index + 1 < self.elements.count else { return false }
        let next = self.elements[index + 1]
        guard next.headerExtension == self.elements[index].headerExtension else { return false }
        let length = left < 0x80 ? 1 : left < 0x4000 ? 2 : 3
        return left < 0x20_0000 && room - left - length >= min(next.count, next.headerSize + 1)
    }

    /// Appends the bytes of an element in `range`, counted from its header.
    private mutating func append(_ element: Element, _ range: Range<Int>) {
        if range.contains(0) { self.builder.append(element.header) }
        if let headerExtension = element.headerExtension, range.contains(1) { self.builder.append(headerExtension) }
        let lower = max(range.lowerBound, element.headerSize) - element.headerSize
        let upper = max(range.upperBound, element.headerSize) - element.headerSize
        self.builder.append(frame: element.payload.lowerBound + lower..<element.payload.lowerBound + upper)
    }
}
