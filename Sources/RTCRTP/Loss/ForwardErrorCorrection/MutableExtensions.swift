/// The header extensions whose values are only known when a packet leaves: send times and transport-wide numbers.
///
/// Browsers protect packets with these values zero, so both ends of a `flexfec-03` stream must leave them out.
struct MutableExtensions: Sendable {
    private let map: HeaderExtensionMap
    private let isEmpty: Bool

    /// Those that `map` has ids for.
    init(_ map: HeaderExtensionMap) {
        self.map = map
        self.isEmpty = HeaderExtensionKind.allCases.allSatisfy { !Self.isMutable($0) || map[$0] == nil }
    }

    /// Writes zeros over their values in a packet.
    func clear(in packet: UnsafeMutableRawBufferPointer, _ view: RTPPacketView) {
        guard !self.isEmpty else { return }
        var elements = view.extensions
        while let element = elements.next(in: packet.bytes) {
            guard let kind = self.map.kind(of: element.id), Self.isMutable(kind) else { continue }
            for offset in element.range { packet[offset] = 0 }
        }
    }

    private static func isMutable(_ kind: HeaderExtensionKind) -> Bool {
        switch kind {
        case .absoluteSendTime, .transmissionOffset, .transportSequenceNumber, .transportSequenceNumberV2: true
        default: false
        }
    }
}
