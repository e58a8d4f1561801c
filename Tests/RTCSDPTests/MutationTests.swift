import RTCBase
import RTCSDP
import Testing

@Suite("Mutated descriptions")
struct MutationTests {
    private static let rounds = 250

    @Test("No mutation of a capture traps, and what parses keeps its bytes", arguments: Samples.names)
    func mutations(name: String) throws {
        let original = bytes(try Samples.text(name))
        let seed = name.utf8.reduce(UInt64(20_260)) { $0 &* 31 &+ UInt64($1) }
        var random = RandomSource.seeded(seed)
        var parsed = 0
        for round in 0..<Self.rounds {
            let text = String(decoding: Self.mutate(original, &random), as: UTF8.self)
            if let fragment = try? SDPFragment(parsing: text) { _ = try? fragment.validate() }
            guard let session = try? SDPSession(parsing: text) else { continue }
            parsed += 1
            let expected = Self.normalised(bytes(text))
            try #require(bytes(session.description) == expected, "seed \(seed), round \(round)")
            Self.readEverything(session)
            let again = try SDPSession(parsing: session.description)
            try #require(bytes(again.description) == expected, "seed \(seed), round \(round)")
        }
        #expect(parsed > Self.rounds / 10, "seed \(seed)")
    }

    @Test("Random lines never trap the attribute parsers")
    func attributeMutations() throws {
        let seed: UInt64 = 8_839
        var random = RandomSource.seeded(seed)
        var session = try SDPSession(parsing: try Samples.text("chromium-offer"))
        let attributes = session.media.flatMap { Array($0.attributes) }
        for _ in 0..<200 {
            for index in session.media.indices {
                var mutated: [SDPAttribute] = []
                for attribute in session.media[index].attributes.prefix(60) {
                    let donor = attributes.randomElement(using: &random) ?? attribute
                    let value = String(decoding: Self.mutate(bytes(donor.value ?? ""), &random), as: UTF8.self)
                    mutated.append(SDPAttribute(attribute.name, value))
                }
                session.media[index].attributes = SDPAttributes(mutated)
            }
            Self.readEverything(session)
            let again = try SDPSession(parsing: session.description)
            #expect(again.media.count == session.media.count, "seed \(seed)")
        }
    }

    /// Mixed line ends are the one thing that serialising evens out.
    private static func normalised(_ text: [UInt8]) -> [UInt8] {
        let lineFeeds = text.indices.filter { text[$0] == 0x0A }
        let isMixed = Set(lineFeeds.map { $0 > 0 && text[$0 - 1] == 0x0D }).count > 1
        guard isMixed else { return text }
        var result: [UInt8] = []
        for byte in text {
            if byte == 0x0A, result.last != 0x0D { result.append(0x0D) }
            result.append(byte)
        }
        return result
    }

    private static func mutate(_ original: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var text = original
        let interesting = Array("\r\n \u{0}=:/;,+-~*09azAZ\u{FF}".utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let index = Int.random(in: 0...text.count, using: &random)
            let length = min(Int.random(in: 0...40, using: &random), text.count - index)
            switch Int.random(in: 0..<7, using: &random) {
            case 0 where index < text.count: text[index] = UInt8.random(in: 0...255, using: &random)
            case 1 where index < text.count: text[index] = interesting.randomElement(using: &random) ?? 0
            case 2: text.insert(interesting.randomElement(using: &random) ?? 0, at: index)
            case 3: text.removeSubrange(index..<(index + length))
            case 4: text.insert(contentsOf: text[index..<(index + length)], at: index)
            case 5: text.removeSubrange(index...)
            default:
                let other = Int.random(in: 0...text.count, using: &random)
                text.insert(contentsOf: text[index..<(index + length)], at: other)
            }
        }
        return text
    }

    private static func readEverything(_ session: SDPSession) {
        _ = try? session.validate()
        _ = (session.groups, session.bundleGroups, session.iceLite, session.connection, session.bandwidths)
        for (index, section) in session.media.enumerated() {
            _ = (session.fingerprints(of: index), session.iceOptions(of: index), session.extmaps(of: index))
            _ = (section.candidates, section.sctpPort, section.maxMessageSize, section.dataChannelPort, section.rtcp)
            _ = (section.msids, section.rtpmaps, section.fmtps.map(\.parameters), section.rtcpFeedback)
            _ = (section.ssrcs, section.ssrcGroups, section.rids.map(\.payloadTypes), section.simulcast)
            _ = (section.ptime, section.maxptime, section.connection, section.bandwidths)
        }
    }
}
