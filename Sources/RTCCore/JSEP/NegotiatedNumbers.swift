import RTCRTP
import RTCSDP

/// The payload types and header extension numbers of a session.
struct NegotiatedNumbers: Sendable {
    var payloadTypes = PayloadTypes()
    var headerExtensions = HeaderExtensionNumbers()

    /// Takes note of the numbers in use; also of those that only one side uses, so that no number has two meanings.
    mutating func learn(from content: SDPSession, _ capabilities: RTCMediaCapabilities) {
        for index in content.media.indices where content.media[index].isRTPSection && !content.media[index].isRejected {
            guard let kind = MediaKind(rawValue: content.media[index].kind) else { continue }
            let capabilities = capabilities[kind]
            let uris = Set(capabilities.headerExtensions.map(\.uri))
            self.payloadTypes.learn(SectionFormats(content.media[index]), capabilities.codecs)
            for extmap in content.extmaps(of: index) {
                self.headerExtensions.learn(extmap.uri, extmap.id, isCapability: uris.contains(extmap.uri))
            }
        }
    }
}
