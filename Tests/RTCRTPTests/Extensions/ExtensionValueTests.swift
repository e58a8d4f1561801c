import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Values of header extensions")
struct ExtensionValueTests {
    private func expect<Value: HeaderExtensionValue>(_ value: Value, is hex: String) {
        let bytes = Wire.bytes(hex)
        #expect(value.bytes == bytes)
        #expect(Value(bytes) == value)
    }

    @Test("names are their characters")
    func names() {
        self.expect(MIDExtension("video1"), is: "766964656f31")
        self.expect(RIDExtension("hi"), is: "6869")
        self.expect(RepairedRIDExtension("lo"), is: "6c6f")
        #expect(MIDExtension([]) == nil)
        #expect(MIDExtension([0x61, 0x20]) == nil)
        #expect(RIDExtension([0xFF]) == nil)
        #expect(RepairedRIDExtension([0]) == nil)
        #expect(MIDExtension(String(repeating: "x", count: 300)).byteCount == 255)
    }

    @Test("levels of sound")
    func audioLevels() {
        self.expect(AudioLevel(level: 42, hasVoiceActivity: true), is: "aa")
        self.expect(AudioLevel(level: 127, hasVoiceActivity: false), is: "7f")
        #expect(AudioLevel(level: 200, hasVoiceActivity: false).level == 127)
        #expect(AudioLevel([]) == nil)
        self.expect(MixerAudioLevels([1, 2, 127]), is: "01027f")
        #expect(MixerAudioLevels([0x81] as [UInt8]).map { $0 } == [127])
        #expect(MixerAudioLevels(Wire.bytes("81")).map(Array.init) == [1])
        #expect(MixerAudioLevels([UInt8](repeating: 1, count: 40)).count == 15)
        #expect(MixerAudioLevels(Wire.bytes("")) == nil)
    }

    @Test("times of sending")
    func sendTimes() {
        self.expect(AbsoluteSendTime(units: 0x123456), is: "123456")
        self.expect(TransmissionOffset(units: -1), is: "ffffff")
        self.expect(TransmissionOffset(units: 0x7F_FFFF), is: "7fffff")
        self.expect(TransmissionOffset(units: -0x80_0000), is: "800000")
        #expect(TransmissionOffset(units: .max).units == 0x7F_FFFF)
        #expect(AbsoluteSendTime([1, 2]) == nil)
        #expect(TransmissionOffset([1, 2]) == nil)
        // A quarter of a second past second 63, and the wrap a second later.
        let late = AbsoluteSendTime(NTPTimestamp(seconds: 127, fraction: 0x4000_0000))
        #expect(late.units == 63 << 18 | 1 << 16)
        let next = AbsoluteSendTime(NTPTimestamp(seconds: 128, fraction: 0x4000_0000))
        #expect(late.nanoseconds(to: next) == 1_000_000_000)
        #expect(next.nanoseconds(to: late) == -1_000_000_000)
    }

    @Test("places among the packets of a transport, with and without a request")
    func transportSequenceNumbers() {
        self.expect(TransportSequenceNumber(0xABCD), is: "abcd")
        self.expect(TransportSequenceNumberV2(0xABCD), is: "abcd")
        let request = TransportSequenceNumberV2.FeedbackRequest(packetCount: 5, includesTimestamps: true)
        self.expect(TransportSequenceNumberV2(1, feedbackRequest: request), is: "00018005")
        #expect(TransportSequenceNumberV2(Wire.bytes("00018000")) == TransportSequenceNumberV2(1))
        #expect(TransportSequenceNumber([1]) == nil)
        #expect(TransportSequenceNumberV2([1]) == nil)
    }

    @Test("orientation, delay, capture time")
    func video() {
        self.expect(VideoOrientation(rotation: .degrees270, isFlipped: true, isBackCamera: true), is: "0f")
        self.expect(VideoOrientation(rotation: .degrees90), is: "01")
        #expect(VideoOrientation([0xF2]) == VideoOrientation(rotation: .degrees180))
        #expect(VideoOrientation([]) == nil)
        self.expect(PlayoutDelay(minimum: 0x123, maximum: 0x456), is: "123456")
        #expect(PlayoutDelay(Wire.bytes("456123")) == nil)
        #expect(PlayoutDelay([0, 0]) == nil)
        #expect(PlayoutDelay(minimum: 9, maximum: 3) == PlayoutDelay(minimum: 9, maximum: 9))
        let time = NTPTimestamp(seconds: 1, fraction: 2)
        self.expect(AbsoluteCaptureTime(captureTime: time), is: "0000000100000002")
        self.expect(
            AbsoluteCaptureTime(captureTime: time, captureClockOffset: -2),
            is: "0000000100000002 fffffffffffffffe"
        )
        #expect(AbsoluteCaptureTime(Wire.bytes("00000001000000")) == nil)
    }

    @Test("allocations of layers, as their three streams share them")
    func sharedAllocation() throws {
        // Three streams of one spatial layer each, with 2, 1 and 1 temporal layers.
        let layers = [
            VideoLayersAllocation.SpatialLayer(streamIndex: 0, spatialID: 0, bitrates: [100, 200]),
            VideoLayersAllocation.SpatialLayer(streamIndex: 1, spatialID: 0, bitrates: [500]),
            VideoLayersAllocation.SpatialLayer(streamIndex: 2, spatialID: 0, bitrates: [2500]),
        ]
        let value = try #require(VideoLayersAllocation(streamIndex: 1, streamCount: 3, layers: layers))
        self.expect(value, is: "61 40 64 c801 f403 c413")
    }

    @Test("allocations of layers that differ between streams, with resolutions")
    func differingAllocation() throws {
        let size = VideoLayersAllocation.Resolution(width: 640, height: 360, maximumFrameRate: 30)
        let layers = [
            VideoLayersAllocation.SpatialLayer(streamIndex: 1, spatialID: 0, bitrates: [2], resolution: size),
            VideoLayersAllocation.SpatialLayer(streamIndex: 0, spatialID: 1, bitrates: [1], resolution: size),
        ]
        let value = try #require(VideoLayersAllocation(streamIndex: 0, streamCount: 2, layers: layers))
        self.expect(value, is: "10 21 00 01 02 027f01671e 027f01671e")
    }

    @Test("an allocation of nothing is a zero, and impossible ones are refused")
    func allocationLimits() throws {
        let nothing = try #require(VideoLayersAllocation(streamIndex: 2, streamCount: 3, layers: []))
        self.expect(nothing, is: "00")
        let layer = VideoLayersAllocation.SpatialLayer(streamIndex: 0, spatialID: 0, bitrates: [1])
        #expect(VideoLayersAllocation(streamIndex: 0, streamCount: 1, layers: [layer, layer]) == nil)
        #expect(VideoLayersAllocation(streamIndex: 1, streamCount: 1, layers: [layer]) == nil)
        #expect(VideoLayersAllocation(streamIndex: 0, streamCount: 5, layers: [layer]) == nil)
        for hex in ["", "01", "0100", "0100 80", "0100 ffffffff1f", "0100 64 0000", "10", "1f 55"] {
            #expect(VideoLayersAllocation(Wire.bytes(hex)) == nil, "\(hex)")
        }
    }

    @Test("hostile values never trap", arguments: 0..<4)
    func mutations(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        func read<Value: HeaderExtensionValue>(_ type: Value.Type, _ bytes: [UInt8]) {
            guard let value = Value(bytes) else { return }
            #expect(Value(value.bytes) == value, "seed \(seed): \(value)")
        }
        for _ in 0..<2_000 {
            let bytes = random.bytes(count: Int(random.next() % 40))
            read(MIDExtension.self, bytes)
            read(AudioLevel.self, bytes)
            read(MixerAudioLevels.self, bytes)
            read(AbsoluteSendTime.self, bytes)
            read(TransmissionOffset.self, bytes)
            read(TransportSequenceNumber.self, bytes)
            read(TransportSequenceNumberV2.self, bytes)
            read(VideoOrientation.self, bytes)
            read(PlayoutDelay.self, bytes)
            read(AbsoluteCaptureTime.self, bytes)
            read(VideoLayersAllocation.self, bytes)
            read(
                VideoLayersAllocation.self,
                Wire.mutated(Wire.bytes("10 21 00 01 02 027f01671e 027f01671e"), using: &random)
            )
        }
    }
}
