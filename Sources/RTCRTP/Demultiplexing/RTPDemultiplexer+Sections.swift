extension RTPDemultiplexer {
    /// What a section of the description receives.
    public struct Section: Sendable, Hashable {
        /// A number of the caller's, which comes back in routes.
        public var id: Int
        /// The identification tag (`a=mid`); empty if it has none.
        public var mid: String
        /// The formats of media.
        public var payloadTypes: [PayloadType]
        /// The formats of retransmissions (`rtx`).
        public var retransmissionPayloadTypes: [PayloadType]
        /// The formats of forward error correction in streams of their own (`flexfec`).
        public var repairPayloadTypes: [PayloadType]
        /// The names of the encodings (`a=rid`) of simulcast; empty without.
        public var encodings: [String]
        /// The streams that the peer announced (`a=ssrc`).
        public var sources: [Source]

        /// A section that receives these.
        public init(
            id: Int,
            mid: String,
            payloadTypes: [PayloadType],
            retransmissionPayloadTypes: [PayloadType] = [],
            repairPayloadTypes: [PayloadType] = [],
            encodings: [String] = [],
            sources: [Source] = []
        ) {
            self.id = id
            self.mid = mid
            self.payloadTypes = payloadTypes
            self.retransmissionPayloadTypes = retransmissionPayloadTypes
            self.repairPayloadTypes = repairPayloadTypes
            self.encodings = encodings
            self.sources = sources
        }
    }

    /// A stream that the peer announced.
    public struct Source: Sendable, Hashable {
        /// The stream.
        public var ssrc: SSRC
        /// What it is for.
        public var role: RTPRoute.Role
        /// The stream that it repeats or repairs (`a=ssrc-group:FID`, `FEC-FR`); `nil` for media.
        public var protectedSSRC: SSRC?
        /// Which of the section's encodings it is, from 0; `nil` if it has none.
        public var encoding: Int?

        /// A stream.
        public init(
            ssrc: SSRC,
            role: RTPRoute.Role = .primary,
            protectedSSRC: SSRC? = nil,
            encoding: Int? = nil
        ) {
            self.ssrc = ssrc
            self.role = role
            self.protectedSSRC = protectedSSRC
            self.encoding = encoding
        }
    }

    enum PayloadTypeOwner: Sendable, Hashable {
        case none
        case one(Int)
        case several
    }

    struct Stream: Sendable {
        var ssrc: SSRC
        // The index of the section, not the caller's number.
        var section: Int
        var route: RTPRoute
        var isAnnounced: Bool
        var lastUse: UInt64
    }

    struct SectionState: Sendable {
        var id: Int
        var mid: [UInt8]
        var encodings: [[UInt8]]
        private var roles = [RTPRoute.Role?](repeating: nil, count: 128)

        init(_ section: Section) {
            self.id = section.id
            self.mid = Array(section.mid.utf8)
            self.encodings = section.encodings.map { Array($0.utf8) }
            for type in section.payloadTypes { self.roles[Int(type.rawValue)] = .primary }
            for type in section.retransmissionPayloadTypes { self.roles[Int(type.rawValue)] = .retransmission }
            for type in section.repairPayloadTypes { self.roles[Int(type.rawValue)] = .forwardErrorCorrection }
        }

        func role(of type: PayloadType) -> RTPRoute.Role? { self.roles[Int(type.rawValue)] }
    }

    /// Takes what was negotiated, in place of what was before.
    ///
    /// Learned streams stay where their section, known by its MID, and their encoding are still there.
    ///
    /// - Parameter extensionMap: The ids of header extensions, the same for all sections of a transport.
    public mutating func setSections(_ sections: [Section], extensionMap: HeaderExtensionMap) {
        let old = (sections: self.sections, streams: self.streams)
        self.extensionMap = extensionMap
        self.sections = sections.map(SectionState.init)
        self.assignPayloadTypes()
        self.streams = []
        self.streamIndices = [:]
        self.learnedCount = 0
        self.lastIndex = 0
        for (index, section) in sections.enumerated() {
            for source in section.sources { self.announce(source, section: index) }
        }
        for stream in old.streams where !stream.isAnnounced { self.keep(stream, of: old.sections) }
    }

    private mutating func assignPayloadTypes() {
        for number in UInt8(0)...127 {
            let type = PayloadType(lowBitsOf: number)
            let owners = self.sections.indices.filter { self.sections[$0].role(of: type) != nil }
            self.sectionsByPayloadType[Int(number)] =
                owners.isEmpty ? .none : owners.count == 1 ? .one(owners[0]) : .several
        }
    }

    private mutating func announce(_ source: Source, section: Int) {
        let count = self.sections[section].encodings.count
        let route = RTPRoute(
            section: self.sections[section].id,
            encoding: source.encoding.flatMap { (0..<count).contains($0) ? $0 : nil },
            role: source.role,
            protectedSSRC: source.protectedSSRC
        )
        self.insert(Stream(ssrc: source.ssrc, section: section, route: route, isAnnounced: true, lastUse: 0))
    }

    private mutating func keep(_ stream: Stream, of old: [SectionState]) {
        let before = old[stream.section]
        guard self.streamIndices[stream.ssrc] == nil,
            let section = self.sections.firstIndex(where: { $0.mid == before.mid })
        else { return }
        var encoding: Int?
        if let index = stream.route.encoding {
            encoding = self.sections[section].encodings.firstIndex(of: before.encodings[index])
        }
        guard (encoding == nil) == self.sections[section].encodings.isEmpty else { return }
        var kept = stream
        kept.section = section
        kept.route = RTPRoute(
            section: self.sections[section].id,
            encoding: encoding,
            role: stream.route.role,
            protectedSSRC: stream.route.protectedSSRC
        )
        self.insert(kept)
    }
}
