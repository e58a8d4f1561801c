extension RTPDemultiplexer {
    /// Learns where a stream belongs from a packet of it.
    mutating func learn(_ view: RTPPacketView, _ names: StreamNames, in packet: RawSpan) -> RTPRoute? {
        let header = view.header
        guard let section = self.section(for: header, names, in: packet) else { return nil }
        let state = self.sections[section]
        guard let role = state.role(of: header.payloadType) else {
            self.counters.unexpectedPayloadType += 1
            return nil
        }
        var encoding: Int?
        if !state.encodings.isEmpty {
            let rid = role == .primary ? names.rid : names.repairedRID ?? names.rid
            // What the description says of an SSRC goes on holding for packets that do not name an encoding.
            let known = self.streamIndices[header.ssrc].map { self.streams[$0] }
            encoding =
                rid.flatMap { range in state.encodings.firstIndex { packet.equals($0, in: range) } }
                ?? (rid == nil && known?.section == section ? known?.route.encoding : nil)
            guard encoding != nil else {
                self.counters.unknownEncoding += 1
                return nil
            }
        }
        return self.latch(header.ssrc, section: section, encoding: encoding, role: role)
    }

    private mutating func section(
        for header: RTPHeader,
        _ names: StreamNames,
        in packet: RawSpan
    ) -> Int? {
        if let mid = names.mid {
            if let section = self.sections.firstIndex(where: { packet.equals($0.mid, in: mid) }) { return section }
            self.counters.unknownMID += 1
            return nil
        }
        if let index = self.streamIndices[header.ssrc] { return self.streams[index].section }
        if case .one(let section) = self.sectionsByPayloadType[Int(header.payloadType.rawValue)] { return section }
        self.counters.unknownSSRC += 1
        return nil
    }

    private mutating func latch(_ ssrc: SSRC, section: Int, encoding: Int?, role: RTPRoute.Role) -> RTPRoute {
        let known = self.streamIndices[ssrc].map { self.streams[$0] }
        var route = RTPRoute(section: self.sections[section].id, encoding: encoding, role: role)
        if role != .primary {
            let announced = known?.section == section ? known?.route.protectedSSRC : nil
            route.protectedSSRC = announced ?? self.primary(ofSection: section, encoding: encoding, otherThan: ssrc)
        }
        self.useCount &+= 1
        self.insert(
            Stream(
                ssrc: ssrc,
                section: section,
                route: route,
                isAnnounced: known?.isAnnounced ?? false,
                lastUse: self.useCount
            )
        )
        self.protect(section: section, encoding: encoding)
        route.isNew = true
        return route
    }

    /// The media stream of an encoding, or the only one of a section: what a retransmission must be about (RFC 4588
    /// section 5.3). `nil` if there are several.
    private func primary(ofSection section: Int, encoding: Int?, otherThan ssrc: SSRC? = nil) -> SSRC? {
        var found: Stream?
        for stream in self.streams
        where stream.section == section && stream.route.encoding == encoding && stream.route.role == .primary
            && stream.ssrc != ssrc
        {
            guard let other = found else {
                found = stream
                continue
            }
            // An encoding has one stream at a time; in a section without them it cannot be told which is meant.
            guard encoding != nil else { return nil }
            if stream.lastUse > other.lastUse { found = stream }
        }
        return found?.ssrc
    }

    /// Tells the streams that wait for their media stream which it is, where no description said so.
    private mutating func protect(section: Int, encoding: Int?) {
        let only = self.primary(ofSection: section, encoding: encoding)
        for index in self.streams.indices {
            let stream = self.streams[index]
            guard stream.section == section, stream.route.encoding == encoding, stream.route.role != .primary,
                !stream.isAnnounced || stream.route.protectedSSRC == nil
            else { continue }
            if stream.route.protectedSSRC == nil || encoding != nil {
                self.streams[index].route.protectedSSRC = only
            }
        }
    }

    /// Puts a stream into the table, in place of the one with its SSRC.
    mutating func insert(_ stream: Stream) {
        if let index = self.streamIndices[stream.ssrc] {
            if self.streams[index].isAnnounced != stream.isAnnounced {
                self.learnedCount += stream.isAnnounced ? -1 : 1
            }
            self.streams[index] = stream
            self.lastIndex = index
            return
        }
        if !stream.isAnnounced {
            if self.learnedCount >= self.maximumLearnedStreams { self.evict() }
            self.learnedCount += 1
        }
        self.lastIndex = self.streams.count
        self.streamIndices[stream.ssrc] = self.streams.count
        self.streams.append(stream)
    }

    private mutating func evict() {
        var oldest: Int?
        for (index, stream) in self.streams.enumerated() where !stream.isAnnounced {
            if oldest.map({ stream.lastUse < self.streams[$0].lastUse }) ?? true { oldest = index }
        }
        guard let oldest else { return }
        self.remove(at: oldest)
        self.counters.evictedStreams += 1
    }

    private mutating func remove(at index: Int) {
        let gone = self.streams[index]
        self.streamIndices[gone.ssrc] = nil
        if !gone.isAnnounced { self.learnedCount -= 1 }
        let last = self.streams.removeLast()
        if index < self.streams.count {
            self.streams[index] = last
            self.streamIndices[last.ssrc] = index
        }
        self.lastIndex = 0
        guard gone.route.role == .primary else { return }
        for index in self.streams.indices where self.streams[index].route.protectedSSRC == gone.ssrc {
            guard !self.streams[index].isAnnounced else { continue }
            self.streams[index].route.protectedSSRC = nil
        }
    }

    /// Forgets a learned stream, as after BYE. One that a description announced stays.
    public mutating func forget(_ ssrc: SSRC) {
        guard let index = self.streamIndices[ssrc], !self.streams[index].isAnnounced else { return }
        self.remove(at: index)
    }
}
