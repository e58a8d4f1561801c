/// Finds out which section of the description, and which of its encodings, a packet belongs to (RFC 9143 section 9.2).
///
/// In this order: the MID in the packet's header extension; an SSRC that was announced or has been seen with one; a payload
/// type that one section alone has. What none of these tell is counted and dropped. A stream is remembered by its SSRC once
/// it has been told, so that most packets cost one look-up.
public struct RTPDemultiplexer: Sendable {
    /// Packets that belonged nowhere.
    public struct Counters: Sendable, Hashable {
        /// Their MID is that of no section.
        public var unknownMID: UInt64 = 0
        /// Their section expects encodings, and they name none of them.
        public var unknownEncoding: UInt64 = 0
        /// They have no MID, a new SSRC, and a payload type that no section or more than one has.
        public var unknownSSRC: UInt64 = 0
        /// Their section does not receive their payload type.
        public var unexpectedPayloadType: UInt64 = 0
        /// Streams forgotten because there were too many.
        public var evictedStreams: UInt64 = 0

        /// Nothing counted.
        public init() {}
    }

    /// Packets that belonged nowhere so far.
    public internal(set) var counters = Counters()
    /// How many streams that no description announced are remembered at most.
    public let maximumLearnedStreams: Int

    var sections: [SectionState] = []
    // For each payload type the index of the only section that has it.
    var sectionsByPayloadType = [PayloadTypeOwner](repeating: .none, count: 128)
    var extensionMap = HeaderExtensionMap()
    var streams: [Stream] = []
    var streamIndices: [SSRC: Int] = [:]
    // The stream of the packet before this one.
    var lastIndex = 0
    var useCount: UInt64 = 0
    var learnedCount = 0
    var localStreams: [SSRC: RTPRoute] = [:]

    /// A demultiplexer without sections, which routes nothing.
    ///
    /// - Parameter maximumLearnedStreams: Beyond it the stream that was used least recently is forgotten.
    public init(maximumLearnedStreams: Int = 512) {
        self.maximumLearnedStreams = max(maximumLearnedStreams, 1)
    }

    /// The way of a packet; `nil` if it belongs nowhere, which is counted.
    ///
    /// Learns the packet's SSRC, or what has become of it, by the way.
    public mutating func route(_ view: RTPPacketView, in packet: RawSpan) -> RTPRoute? {
        let names = StreamNames(view, in: packet, map: self.extensionMap)
        guard let index = self.index(of: view.header.ssrc),
            names.isEmpty || self.names(names, agreeWith: self.streams[index], in: packet)
        else { return self.learn(view, names, in: packet) }
        guard let role = self.sections[self.streams[index].section].role(of: view.header.payloadType) else {
            self.counters.unexpectedPayloadType += 1
            return nil
        }
        // The description and a source's name do not always say what a stream is for; its payload type does.
        guard role == self.streams[index].route.role else { return self.learn(view, names, in: packet) }
        return self.streams[index].route
    }

    /// The stream of an SSRC, if it is known; looks at the last one first.
    private mutating func index(of ssrc: SSRC) -> Int? {
        if self.lastIndex < self.streams.count, self.streams[self.lastIndex].ssrc == ssrc { return self.lastIndex }
        guard let index = self.streamIndices[ssrc] else { return nil }
        self.lastIndex = index
        self.useCount &+= 1
        self.streams[index].lastUse = self.useCount
        return index
    }

    private func names(_ names: StreamNames, agreeWith stream: Stream, in packet: RawSpan) -> Bool {
        let section = self.sections[stream.section]
        if let mid = names.mid, !packet.equals(section.mid, in: mid) { return false }
        guard let encoding = stream.route.encoding else { return section.encodings.isEmpty || names.rid == nil }
        guard let rid = names.repairedRID ?? names.rid else { return true }
        return packet.equals(section.encodings[encoding], in: rid)
    }
}
