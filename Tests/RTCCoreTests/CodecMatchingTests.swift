import RTCBase
import RTCRTP
import Testing

@testable import RTCCore

/// Each codec's own rules of matching.
@Suite("Codec matching")
struct CodecMatchingTests {
    private static func video(_ name: String, _ parameters: String?) -> RTCRtpCodec {
        RTCRtpCodec(mimeType: "video/\(name)", clockRate: 90_000, sdpFmtpLine: parameters)
    }

    // RFC 6184 table 5, and values that are seen in the field.
    @Test(
        "profile-level-id names its profile by profile_idc and the constraint flags",
        arguments: [
            ("42e01f", H264ProfileLevelID.Profile.constrainedBaseline), ("42c00a", .constrainedBaseline),
            ("42f00b", .constrainedBaseline), ("4d8015", .constrainedBaseline), ("58c02a", .constrainedBaseline),
            ("42001f", .baseline), ("42a01f", .baseline), ("58801e", .baseline), ("4d001f", .main), ("4d401f", .main),
            ("58001f", .extended), ("64001f", .high), ("640c1f", .constrainedHigh), ("6e0028", .high10),
            ("7a0028", .high422), ("f4001f", .high444Predictive), ("6e1028", .high10Intra), ("7a1028", .high422Intra),
            ("f41028", .high444Intra), ("2c1028", .cavlc444Intra),
        ]
    )
    func profiles(text: String, profile: H264ProfileLevelID.Profile) {
        #expect(H264ProfileLevelID(text)?.profile == profile)
        #expect(H264ProfileLevelID(text.uppercased())?.profile == profile)
    }

    @Test(
        "texts that are no profile-level-id are refused",
        arguments: ["", "42e01", "42e01f0", "42e01g", "+2e01f", "ffffff", "42e0ff", "640d1f", "42e00e", "000000"]
    )
    func brokenProfiles(text: String) { #expect(H264ProfileLevelID(text) == nil) }

    @Test("level 1b lies between 1 and 1.1 in either of its spellings")
    func level1b() throws {
        let level1 = try #require(H264ProfileLevelID("42e00a")).level
        let level1b = try #require(H264ProfileLevelID("42f00b")).level
        let highLevel1b = try #require(H264ProfileLevelID("640009")).level
        let level11 = try #require(H264ProfileLevelID("42e00b")).level
        #expect(level1 < level1b && level1b < level11)
        #expect(level1b == highLevel1b)
    }

    @Test("a level can be changed in any profile and is written as the profile spells it")
    func writtenLevels() throws {
        var baseline = try #require(H264ProfileLevelID("42e01f"))
        baseline.level = try #require(H264ProfileLevelID("640009")).level
        #expect(baseline.text == "42f00b")
        var high = try #require(H264ProfileLevelID("64001f"))
        high.level = try #require(H264ProfileLevelID("42f00b")).level
        #expect(high.text == "640009")
        var again = try #require(H264ProfileLevelID("42f00b"))
        again.level = try #require(H264ProfileLevelID("42e01f")).level
        #expect(again.text == "42e01f")
    }

    @Test(
        "formats match by profile and packetization, not by level",
        arguments: [
            (
                "H264", "profile-level-id=42e01f;packetization-mode=1", "packetization-mode=1;profile-level-id=42C00A",
                true
            ),
            ("H264", "profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f", false),
            ("H264", "profile-level-id=42e01f;packetization-mode=0", "profile-level-id=42e01f", true),
            (
                "H264", "profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42001f;packetization-mode=1",
                false
            ),
            ("H264", "profile-level-id=42001f;packetization-mode=0", nil, true),
            (
                "H264", "profile-level-id=64001f;packetization-mode=1", "profile-level-id=640c1f;packetization-mode=1",
                false
            ),
            (
                "H264", "profile-level-id=42e01f;packetization-mode=1", "profile-level-id=zzzzzz;packetization-mode=1",
                false
            ),
            ("VP8", nil, "max-fs=12288;max-fr=60", true),
            ("VP9", "profile-id=0", nil, true), ("VP9", "profile-id=2", nil, false),
            ("VP9", "profile-id=2", "profile-id=2", true), ("VP9", "profile-id=0", "profile-id=x", false),
            ("AV1", "level-idx=5;profile=0;tier=0", nil, true),
            ("AV1", "level-idx=5;profile=0;tier=0", "profile=1;level-idx=5", false),
            ("AV1", "level-idx=5;profile=0;tier=0", "level-idx=19;profile=0;tier=1", true),
            ("H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST", nil, true),
            ("H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST", "level-id=150;profile-id=1", true),
            ("H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST", "profile-id=2", false),
            ("H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST", "tier-flag=1", false),
            ("H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST", "tx-mode=MRST", false),
        ] as [(String, String?, String?, Bool)]
    )
    func matching(name: String, ours: String?, theirs: String?, isMatch: Bool) {
        #expect(CodecMatching.matches(Self.video(name, ours), Self.video(name.lowercased(), theirs)) == isMatch)
    }

    @Test("sound matches by name, clock and channels, one channel where none are written")
    func sound() {
        let opus = RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000, channels: 2, sdpFmtpLine: "minptime=10")
        #expect(CodecMatching.matches(opus, RTCRtpCodec(mimeType: "audio/OPUS", clockRate: 48_000, channels: 2)))
        #expect(!CodecMatching.matches(opus, RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000)))
        let pcmu = RTCRtpCodec(mimeType: "audio/PCMU", clockRate: 8_000, channels: 1)
        #expect(CodecMatching.matches(pcmu, RTCRtpCodec(mimeType: "audio/pcmu", clockRate: 8_000)))
        #expect(!CodecMatching.matches(pcmu, RTCRtpCodec(mimeType: "audio/pcmu", clockRate: 16_000)))
        let event = RTCRtpCodec(mimeType: "audio/telephone-event", clockRate: 8_000, channels: 1)
        #expect(!CodecMatching.matches(event, RTCRtpCodec(mimeType: "audio/telephone-event", clockRate: 48_000)))
    }

    @Test(
        "an answer keeps the offered profile; its level is the lower one unless both allow asymmetry",
        arguments: [
            (
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034",
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
            ),
            (
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                "packetization-mode=1;profile-level-id=42e034", "packetization-mode=1;profile-level-id=42e01f"
            ),
            (
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                "packetization-mode=1;profile-level-id=42c00d", "packetization-mode=1;profile-level-id=42c00d"
            ),
            (
                "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f", "",
                "packetization-mode=0;profile-level-id=42000a"
            ),
        ]
    )
    func h264Answers(ours: String, theirs: String, answer: String) {
        #expect(CodecMatching.answer(Self.video("H264", ours), to: Self.video("H264", theirs)) == answer)
    }

    @Test("an answer for H.265 takes the lower level, one for AV1 says this side's")
    func otherAnswers() {
        let h265 = Self.video("H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST")
        #expect(
            CodecMatching.answer(h265, to: Self.video("H265", "level-id=150"))
                == "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST"
        )
        #expect(
            CodecMatching.answer(h265, to: Self.video("H265", "level-id=60"))
                == "level-id=60;profile-id=1;tier-flag=0;tx-mode=SRST"
        )
        let av1 = Self.video("AV1", "level-idx=5;profile=0;tier=0")
        #expect(
            CodecMatching.answer(av1, to: Self.video("AV1", "level-idx=19;tier=1")) == "level-idx=5;profile=0;tier=0"
        )
    }

    @Test("parameters are read whatever their order, case and spaces", arguments: [UInt64(1), 2, 3])
    func parameters(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        let parts = ["Packetization-Mode=1", " profile-level-id=42e01f", "level-asymmetry-allowed=1 ", "flag", ""]
        for _ in 0..<20 {
            let text = parts.shuffled(using: &random).joined(separator: ";")
            let parameters = FormatParameters(text)
            #expect(parameters["packetization-mode"] == "1", "seed \(seed): \(text)")
            #expect(parameters["profile-level-id"] == "42e01f", "seed \(seed): \(text)")
            #expect(parameters["level-asymmetry-allowed"] == "1", "seed \(seed): \(text)")
            #expect(parameters["flag"] == "", "seed \(seed): \(text)")
        }
    }
}
