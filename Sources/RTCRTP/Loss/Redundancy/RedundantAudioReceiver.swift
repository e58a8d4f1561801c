package import NIOCore

/// Turns packets of redundant sound into the packets that were meant, and leaves out those that came before (RFC 2198).
///
/// A packet does not say which packets it repeats, only their timestamps. Their sequence numbers follow from the duration of
/// packets where the timestamps run steadily, and otherwise from the order of the blocks.
package struct RedundantAudioReceiver: Sendable {
    /// A packet of sound: one received, or one that was lost.
    package struct Block: Sendable, Hashable {
        /// Its header. Only the newest block has the marker, contributing sources and header extension of the packet.
        package let header: RTPHeader
        /// Where in the packet its payload lies.
        package let range: Range<Int>
        /// Whether it fills a gap.
        package let isRedundant: Bool

        /// Appends the block as a packet of its own, without header extension.
        package func append(to buffer: inout ByteBuffer, from packet: RawSpan) {
            buffer.writeRTPPacket(self.header, maximumSize: RTPHeader.fixedSize + self.range.count) {
                $0.appendPayload(packet.extracting(packet.clamped(self.range)))
            }
        }
    }

    /// What happened so far.
    package struct Counters: Sendable, Hashable {
        /// Packets that were taken.
        package var packets: UInt64 = 0
        /// Packets that are not well-formed RED.
        package var malformed: UInt64 = 0
        /// Blocks of earlier packets that packets carried.
        package var blocks: UInt64 = 0
        /// Lost packets that were found in later ones.
        package var recovered: UInt64 = 0
        /// Blocks and packets that had come before.
        package var duplicates: UInt64 = 0
        /// Blocks whose sequence number cannot be told.
        package var unplaced: UInt64 = 0
    }

    private let redPayloadType: PayloadType
    private var seen = SeenPackets()
    /// What happened so far.
    package private(set) var counters = Counters()

    /// A receiver of one stream.
    ///
    /// - Parameter redPayloadType: The payload type agreed for RED; packets of others are taken as they are.
    package init(redPayloadType: PayloadType) { self.redPayloadType = redPayloadType }

    /// Takes a packet, and gives `body` the new packets in it, in the order of the packet: the newest last.
    package mutating func receive(_ packet: RawSpan, _ view: RTPPacketView, _ body: (Block) -> Void) {
        self.counters.packets += 1
        let range = packet.clamped(view.payloadRange)
        guard view.header.payloadType == self.redPayloadType else {
            return self.deliver(Block(header: view.header, range: range, isRedundant: false), body)
        }
        let result = REDPayload.parse(packet.extracting(range), timestamp: view.header.timestamp)
        guard case .success(let red) = result, self.isSound(red.primary) else {
            self.counters.malformed += 1
            return
        }
        for (index, block) in red.redundant.enumerated() {
            self.receive(block, order: red.redundant.count - index, of: view.header, at: range.lowerBound, body)
        }
        var header = view.header
        header.payloadType = red.primary.payloadType
        let primary = red.primary.range.shifted(by: range.lowerBound)
        self.deliver(Block(header: header, range: primary, isRedundant: false), body)
    }

    private mutating func receive(
        _ block: REDPayload.Block,
        order: Int,
        of packet: RTPHeader,
        at offset: Int,
        _ body: (Block) -> Void
    ) {
        self.counters.blocks += 1
        guard !self.seen.contains(timestamp: block.timestamp), block.timestamp != packet.timestamp else {
            self.counters.duplicates += 1
            return
        }
        let age = packet.timestamp &- block.timestamp
        guard self.isSound(block), let distance = self.seen.distance(to: packet, age: age, order: order) else {
            self.counters.unplaced += 1
            return
        }
        let header = RTPHeader(
            payloadType: block.payloadType,
            sequenceNumber: packet.sequenceNumber &- distance,
            timestamp: block.timestamp,
            ssrc: packet.ssrc
        )
        self.deliver(Block(header: header, range: block.range.shifted(by: offset), isRedundant: true), body)
    }

    private mutating func deliver(_ block: Block, _ body: (Block) -> Void) {
        guard self.seen.insert(block.header) else {
            self.counters.duplicates += 1
            return
        }
        if block.isRedundant { self.counters.recovered += 1 }
        body(block)
    }

    /// RED in RED is nothing that anybody sends.
    private func isSound(_ block: REDPayload.Block) -> Bool {
        block.payloadType != self.redPayloadType && block.payloadType.isUsableBesideRTCP
    }
}

extension Range<Int> {
    fileprivate func shifted(by offset: Int) -> Range<Int> { self.lowerBound + offset..<self.upperBound + offset }
}
