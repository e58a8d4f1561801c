import RTCBase
import Testing

@testable import RTCRTP

@Suite("FlexFEC headers")
struct FlexFECHeaderTests {
    static let recovery = FlexFECRecovery(flags: 0x0080, length: 1, timestamp: 0x30)

    private func header(_ distances: [Int], _ form: FlexFECForm) -> FlexFECHeader {
        FlexFECHeader(
            recovery: Self.recovery,
            ssrc: form == .draft03 ? SSRC(0x1122_3344) : nil,
            base: 0xFFFE,
            mask: FlexFECMask(distances)
        )
    }

    @Test(
        "the draft's masks end with a set k bit",
        arguments: [
            ([0, 1], "E000"), ([14], "8001"), ([0, 15], "4000 C0000000"), ([45], "0000 80000001"),
            ([0, 46], "4000 00000000 C000000000000000"), ([0, 108], "4000 00000000 8000000000000001"),
        ]
    )
    func draft(distances: [Int], mask: String) {
        let bytes = Wire.bytes("0080 0001 00000030 01 000000 11223344 FFFE" + mask)
        let header = self.header(distances, .draft03)
        #expect(header.bytes(form: .draft03) == bytes)
        #expect(FlexFECHeader.parse(bytes + [1, 2], form: .draft03) == .success(header))
        #expect(FlexFECHeader.size(of: bytes + [1, 2], form: .draft03) == bytes.count)
    }

    @Test(
        "the RFC's masks go on after a set k bit",
        arguments: [
            ([0, 1], "6000"), ([14], "0001"), ([0, 15], "C000 40000000"), ([45], "8000 00000001"),
            ([0, 46], "C000 80000000 8000000000000000"), ([0, 109], "C000 80000000 0000000000000001"),
        ]
    )
    func published(distances: [Int], mask: String) {
        let bytes = Wire.bytes("0080 0001 00000030 FFFE" + mask)
        let header = self.header(distances, .rfc8627)
        #expect(header.bytes(form: .rfc8627) == bytes)
        #expect(FlexFECHeader.parse(bytes + [1, 2], form: .rfc8627) == .success(header))
        #expect(FlexFECHeader.size(of: bytes + [1, 2], form: .rfc8627) == bytes.count)
    }

    @Test(
        "a fixed matrix of the RFC is a row or a column",
        arguments: [("03 00", [0, 1, 2]), ("03 01", [0, 1, 2]), ("03 03", [0, 3, 6]), ("01 03", [0, 1, 2])]
    )
    func fixed(matrix: String, distances: [Int]) {
        let bytes = Wire.bytes("4080 0001 00000030 FFFE" + matrix)
        #expect(FlexFECHeader.parse(bytes, form: .rfc8627) == .success(self.header(distances, .rfc8627)))
        #expect(FlexFECHeader.size(of: bytes, form: .rfc8627) == 12)
    }

    @Test(
        "what is not spoken, or says nothing, is refused",
        arguments: [
            (FlexFECForm.draft03, "", .malformed), (.draft03, "0080 0001 00000030 01000000 11223344", .malformed),
            (.draft03, "0080 0001 00000030 01000000 11223344 0001 4000", .malformed),
            (.draft03, "0080 0001 00000030 01000000 11223344 0001 4000 00000000 4000000000000000", .malformed),
            (.draft03, "8080 0001 00000030 01000000 11223344 0001 E000", .unsupported),
            (.draft03, "4080 0001 00000030 01000000 11223344 0001 E000", .unsupported),
            (.draft03, "0080 0001 00000030 02000000 11223344 0001 E000", .unsupported),
            (.draft03, "0080 0001 00000030 01000000 11223344 0001 8000", .impossibleMask),
            (.rfc8627, "0080 0001 00000030", .malformed), (.rfc8627, "0080 0001 00000030 0001 C000", .malformed),
            (.rfc8627, "0080 0001 00000030 0001 C000 80000000", .malformed),
            (.rfc8627, "4080 0001 00000030 0001 03", .malformed),
            (.rfc8627, "8080 0001 00000030 0001 6000", .unsupported),
            (.rfc8627, "0080 0001 00000030 0001 0000", .impossibleMask),
            (.rfc8627, "4080 0001 00000030 0001 0003", .impossibleMask),
            (.rfc8627, "4080 0001 00000030 0001 FF02", .impossibleMask),
        ] as [(FlexFECForm, String, FlexFECHeader.Failure)]
    )
    func refusals(form: FlexFECForm, hex: String, failure: FlexFECHeader.Failure) {
        #expect(FlexFECHeader.parse(Wire.bytes(hex), form: form) == .failure(failure))
    }

    @Test("whatever is read is written and read again as the same", arguments: FlexFECForm.allCases, 0..<4)
    func hostile(form: FlexFECForm, seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        let samples = [[0, 1], [0, 15], [0, 46]].map { self.header($0, form).bytes(form: form) }
        for _ in 0..<4_000 {
            let bytes = Wire.mutated(samples[Int(random.next() % 3)], using: &random)
            guard case .success(let header) = FlexFECHeader.parse(bytes, form: form) else { continue }
            let again = FlexFECHeader.parse(header.bytes(form: form), form: form)
            #expect(again == .success(header), "seed \(seed): \(bytes)")
        }
    }
}
