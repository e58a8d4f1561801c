import RTCSDP

/// What an offer must be like to be taken (RFC 9725 section 4.2 and 4.4; draft-ietf-wish-whep section 4.3 and 4.5).
enum OfferRules {
    /// Checks an offer.
    ///
    /// - Parameter clientSends: Whether it is a publisher's.
    static func check(_ offer: SDPSession, clientSends: Bool) throws(WHIPRefusal) {
        let sections = offer.media.indices.filter { !offer.media[$0].isRejected }
        guard !sections.isEmpty else { throw WHIPRefusal(422, "the offer has no section in use") }
        var kinds: Set<String> = []
        for index in sections {
            let section = offer.media[index]
            guard section.kind == "audio" || section.kind == "video" else {
                throw WHIPRefusal(422, "section \(index) is of kind '\(section.kind.prefix(32))', not audio or video")
            }
            guard kinds.insert(section.kind).inserted else {
                throw WHIPRefusal(422, "there is more than one section of \(section.kind)")
            }
            let direction = offer.direction(of: index)
            guard clientSends ? direction.sends : direction.receives else {
                let wanted = clientSends ? "sendonly" : "recvonly"
                throw WHIPRefusal(422, "section \(index) is \(direction.rawValue), not \(wanted) or sendrecv")
            }
            guard section.rtcpMux else { throw WHIPRefusal(422, "section \(index) has no rtcp-mux") }
        }
        try self.checkBundle(offer, sections)
        if clientSends { try self.checkStreams(offer, sections) }
    }

    private static func checkBundle(_ offer: SDPSession, _ sections: [Int]) throws(WHIPRefusal) {
        guard sections.count > 1 else { return }
        let isBundled = offer.bundleGroups.contains { group in
            sections.allSatisfy { index in offer.media[index].mid.map(group.mids.contains) ?? false }
        }
        guard isBundled else { throw WHIPRefusal(422, "the sections are not in one BUNDLE group") }
    }

    /// All tracks are of one stream; `-` stands for none.
    private static func checkStreams(_ offer: SDPSession, _ sections: [Int]) throws(WHIPRefusal) {
        let streams = Set(sections.flatMap { offer.media[$0].msids.map(\.stream) }).subtracting(["-"])
        guard streams.count <= 1 else { throw WHIPRefusal(422, "the sections belong to more than one MediaStream") }
    }

    /// Checks an answer of this side: a section that could not be agreed upon refuses the whole offer (RFC 9725 section 4.4.3).
    static func checkAnswer(_ answer: SDPSession, to offer: SDPSession) throws(WHIPRefusal) {
        for (index, section) in answer.media.enumerated() where section.isRejected && !offer.media[index].isRejected {
            throw WHIPRefusal(422, "no codec of the \(section.kind) section can be used here")
        }
    }
}
