import Testing

@testable import RTCBase

@Suite("Randomness")
struct RandomSourceTests {
    @Test("texts have the asked length and only characters of ICE's alphabet", arguments: [0, 1, 9, 10, 11, 24])
    func iceCharacters(count: Int) {
        var random = RandomSource.seeded(7)
        let text = random.iceCharacters(count: count)
        #expect(text.utf8.count == count)
        #expect(
            text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: return true
                default: return false
                }
            }
        )
    }

    @Test("every character of the alphabet turns up, about as often as the others")
    func iceCharactersAreEven() {
        var random = RandomSource.seeded(11)
        var counts: [Character: Int] = [:]
        for character in random.iceCharacters(count: 64_000) { counts[character, default: 0] += 1 }
        #expect(counts.count == 64)
        #expect(counts.values.allSatisfy { (800...1_200).contains($0) })
    }

    @Test("bytes do not repeat after a word", arguments: [0, 7, 8, 9, 32])
    func bytes(count: Int) {
        var random = RandomSource.seeded(3)
        let bytes = random.bytes(count: count)
        #expect(bytes.count == count)
        if count == 32 { #expect(Set(bytes).count > 20) }
    }
}
