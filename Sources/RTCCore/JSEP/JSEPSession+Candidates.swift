import RTCBase
import RTCSDP

/// Candidates in the descriptions that are set already.
extension JSEPSession {
    /// Adds a candidate of ours, or the mark of their end, to every local description of its generation.
    mutating func addLocalCandidate(
        _ attribute: String?,
        ufrag: String,
        defaultAddress: TransportAddress?,
        _ policy: RTCBundlePolicy
    ) {
        let isFirst = self.currentLocal?.transportSection == nil
        func add(_ description: inout JSEPDescription?) {
            guard let content = description?.content, let carrier = content.transportSection,
                content.iceUfrag(of: carrier) == ufrag
            else { return }
            let sections = Self.candidateSections(
                of: content,
                firstOfferOf: isFirst && description?.type == .offer ? policy : nil
            )
            description?.update { content in
                for index in sections {
                    guard let attribute else {
                        content.media[index].endOfCandidates = true
                        continue
                    }
                    content.media[index].attributes.append("candidate", attribute)
                    if let address = defaultAddress, content.media[index].port == 9 {
                        content.media[index].port = Int(address.port)
                        content.media[index].connection = SDPConnection(address)
                    }
                }
            }
        }
        add(&self.currentLocal)
        add(&self.pendingLocal)
    }

    /// Adds a candidate of the peer, or the mark of their end, to the remote description of its generation.
    ///
    /// - Parameter section: Where it belongs; `nil` for all sections (W3C webrtc-pc section 4.4.2, `addIceCandidate`).
    mutating func addRemoteCandidate(_ attribute: String?, section: Int?, inPending: Bool) {
        func add(_ description: inout JSEPDescription?) {
            description?.update { content in
                for index in content.media.indices where section == nil || section == index {
                    if let attribute {
                        content.media[index].attributes.append("candidate", attribute)
                    } else {
                        content.media[index].endOfCandidates = true
                    }
                }
            }
        }
        if inPending { add(&self.pendingRemote) } else { add(&self.currentRemote) }
    }
}
