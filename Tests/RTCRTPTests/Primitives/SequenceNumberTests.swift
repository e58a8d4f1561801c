import Testing

@testable import RTCRTP

@Suite("Numbers that begin anew")
struct SequenceNumberTests {
    @Test("65535 is followed by 65536, and a late packet stays behind")
    func wraps() {
        var unwrapper = SequenceUnwrapper()
        #expect(unwrapper.unwrap(65_534) == 65_534)
        #expect(unwrapper.unwrap(1) == 65_537)
        #expect(unwrapper.unwrap(65_535) == 65_535)
        #expect(unwrapper.highest == 65_537)
        #expect(unwrapper.peek(2) == 65_538)
    }

    @Test("what came before the first number is negative, not a round later")
    func beforeTheFirst() {
        var unwrapper = SequenceUnwrapper()
        _ = unwrapper.unwrap(3)
        #expect(unwrapper.unwrap(65_530) == -6)
    }

    @Test("newer means on the shorter way round")
    func newer() {
        #expect(SequenceNumbers.isNewer(0, than: 65_535))
        #expect(!SequenceNumbers.isNewer(65_535, than: 0))
        #expect(!SequenceNumbers.isNewer(7, than: 7))
    }

    @Test("timestamps wrap in both directions")
    func timestamps() {
        var unwrapper = TimestampUnwrapper()
        #expect(unwrapper.unwrap(4_294_967_000) == 4_294_967_000)
        #expect(unwrapper.unwrap(704) == 4_294_968_000)
        #expect(unwrapper.unwrap(4_294_967_200) == 4_294_967_200)
    }
}
