public import NIOCore
public import RTCBase
import RTCICE
import RTCSDP

extension PeerSession {
    /// Adds a candidate of the peer (W3C webrtc-pc section 4.4.2, `addIceCandidate`). `nil` or an empty one ends its candidates.
    ///
    /// - Throws: `RTCError.Code.type` if neither mid nor index says where it belongs, `RTCError.Code.invalidState` before
    ///   a remote description, `RTCError.Code.operation` for an unknown section or ufrag, or a text that is no candidate.
    public func addICECandidate(_ members: RTCIceCandidateInit?, now: NIODeadline) throws(RTCError) {
        if let members, !members.candidate.isEmpty, members.sdpMid == nil, members.sdpMLineIndex == nil {
            throw RTCError(.type, "a candidate needs sdpMid or sdpMLineIndex to say which section it belongs to")
        }
        try self.checkOpen()
        guard let remote = self.jsep.remote else {
            throw RTCError(.invalidState, "a candidate needs a remote description first")
        }
        let members = members ?? RTCIceCandidateInit()
        let section = try self.section(of: members, in: remote)
        let inPending = try self.belongsToPending(members, section: section)
        guard !members.candidate.isEmpty else {
            self.jsep.addRemoteCandidate(nil, section: section, inPending: inPending)
            self.deliverRemoteCandidates(now: now)
            return
        }
        guard ICECandidate(parsing: members.candidate) != nil else {
            throw RTCError(.operation, "'\(members.candidate.prefix(80))' is no candidate (RFC 8839 section 5.1)")
        }
        let known = remote.content.media.reduce(0) { $0 + $1.attributes.all("candidate").count }
        guard known < self.configuration.limits.remoteCandidates else {
            self.counters.tooManyCandidates += 1
            return
        }
        var attribute = members.candidate
        if attribute.hasPrefix("candidate:") { attribute.removeFirst("candidate:".count) }
        self.jsep.addRemoteCandidate(attribute, section: section ?? 0, inPending: inPending)
        self.deliverRemoteCandidates(now: now)
    }

    private func section(of members: RTCIceCandidateInit, in remote: JSEPDescription) throws(RTCError) -> Int? {
        // Some peers write an empty mid where they have none to name, and mean the index.
        if let mid = members.sdpMid, !mid.isEmpty || members.sdpMLineIndex == nil {
            guard let index = remote.content.media.firstIndex(where: { $0.mid == mid }) else {
                throw RTCError(.operation, "no section has the mid '\(mid)'")
            }
            return index
        }
        guard let index = members.sdpMLineIndex else { return nil }
        guard remote.content.media.indices.contains(index) else {
            throw RTCError(.operation, "there is no section \(index)")
        }
        return index
    }

    /// Which remote description a candidate belongs to: the one with its ufrag, or the newest.
    private func belongsToPending(_ members: RTCIceCandidateInit, section: Int?) throws(RTCError) -> Bool {
        let ufrag =
            members.usernameFragment
            ?? (members.candidate.isEmpty ? nil : ICECandidate(parsing: members.candidate)?.usernameFragment)
        guard let ufrag else { return self.jsep.pendingRemote != nil }
        func has(_ description: JSEPDescription?) -> Bool {
            guard let content = description?.content else { return false }
            return content.media.indices.contains {
                content.iceUfrag(of: $0) == ufrag && (section == nil || $0 == section)
            }
        }
        if has(self.jsep.pendingRemote) { return true }
        if has(self.jsep.currentRemote) { return false }
        throw RTCError(.operation, "no remote description has the ufrag '\(ufrag)'")
    }

    /// Hands the agent what is new in the remote description that its generation is connected to.
    private func deliverRemoteCandidates(now: NIODeadline) {
        for remote in [self.jsep.currentRemote, self.jsep.pendingRemote].compactMap({ $0 }) {
            guard let section = self.transportSection(for: remote),
                let parameters = try? JSEPTransportParameters(
                    of: remote.content,
                    section: section,
                    defaultSetup: .active
                )
            else { continue }
            for generation in self.transport.generations where generation.remoteUfrag == parameters.credentials.ufrag {
                self.deliver(parameters, to: generation.ufrag, now: now)
            }
        }
    }

    func deliver(_ parameters: JSEPTransportParameters, to ufrag: String, now: NIODeadline) {
        self.withGeneration(ufrag) { generation in
            for attribute in parameters.candidates where generation.remoteCandidatesTaken.insert(attribute).inserted {
                if let candidate = ICECandidate(parsing: attribute) {
                    generation.agent.addRemoteCandidate(candidate, now: now)
                }
            }
            if parameters.endOfCandidates, !generation.remoteEndTaken {
                generation.remoteEndTaken = true
                generation.agent.setRemoteEndOfCandidates(now: now)
            }
        }
    }
}
