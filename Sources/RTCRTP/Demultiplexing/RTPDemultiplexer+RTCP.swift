// RTCP has no MID of its own: it goes where the SSRCs in it belong (RFC 9143 section 9.2).

extension RTPDemultiplexer {
    /// Where a stream of the peer's belongs: that of a sender report, a CNAME, a goodbye. `nil` if it is not known.
    public func remoteRoute(of ssrc: SSRC) -> RTPRoute? {
        self.streamIndices[ssrc].map { self.streams[$0].route }
    }

    /// Where a stream of our own belongs: that of a report block, a NACK, a request for a key frame. `nil` if there is none.
    public func localRoute(of ssrc: SSRC) -> RTPRoute? { self.localStreams[ssrc] }

    /// Remembers a stream of our own.
    ///
    /// - Parameters:
    ///   - section: The caller's number of the section that sends it.
    ///   - encoding: Which of its encodings, from 0; `nil` if it has none.
    public mutating func addLocalStream(
        _ ssrc: SSRC,
        section: Int,
        encoding: Int? = nil,
        role: RTPRoute.Role = .primary,
        protectedSSRC: SSRC? = nil
    ) {
        self.localStreams[ssrc] = RTPRoute(
            section: section,
            encoding: encoding,
            role: role,
            protectedSSRC: protectedSSRC
        )
    }

    /// Forgets a stream of our own.
    public mutating func removeLocalStream(_ ssrc: SSRC) { self.localStreams[ssrc] = nil }

    /// Learns where a stream belongs from the MID of a source description (RFC 9143 section 15.1), if it is not known.
    ///
    /// Streams of sections with encodings are not learned so: a description does not say which encoding they are.
    public mutating func learn(_ description: RTCPSourceDescription, in datagram: RawSpan) {
        description.forEachItem(in: datagram) { item in
            guard item.type == .mid, self.streamIndices[item.ssrc] == nil,
                let section = self.sections.firstIndex(where: { datagram.equals($0.mid, in: item.range) }),
                self.sections[section].encodings.isEmpty
            else { return true }
            self.useCount &+= 1
            let route = RTPRoute(section: self.sections[section].id, encoding: nil, role: .primary)
            self.insert(
                Stream(ssrc: item.ssrc, section: section, route: route, isAnnounced: false, lastUse: self.useCount)
            )
            return true
        }
    }
}
