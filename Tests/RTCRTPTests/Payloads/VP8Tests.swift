import RTCBase
import Testing

@testable import RTCRTP

@Suite("VP8 payloads")
struct VP8Tests {
    @Test("A descriptor with every field says what it says")
    func everyField() throws {
        // X N S PID=0 | I L T K | 15-bit picture ID | TL0PICIDX | TID 2, Y, KEYIDX 5
        let payload = hex("b0 f0 9234 56 a5 10 02 00 9d 01 2a 8002 e001")
        let (own, size) = try #require(VP8Depacketizer.payloadDescriptor(of: payload))
        #expect(size == 6)
        #expect(own.isNonReference && own.beginsFrame && own.isLayerSync)
        #expect(own.pictureID == 0x1234 && own.hasLongPictureID)
        #expect(own.temporalBaseIndex == 0x56)
        #expect(own.temporalID == 2)
        #expect(own.keyIndex == 5)
        let descriptor = try #require(VP8Depacketizer.descriptor(of: payload, marker: false))
        #expect(descriptor.isKeyFrame && descriptor.beginsFrame == true && !descriptor.endsFrame)
        #expect(descriptor.isSwitchingPoint && descriptor.isDiscardable)
        #expect(VP8FrameHeader(Array(payload[6...]))?.size == PictureSize(width: 640, height: 480))
    }

    @Test("A picture ID of 7 bits, and none at all")
    func shortForms() throws {
        let short = try #require(VP8Depacketizer.payloadDescriptor(of: hex("80 80 7f 01")))
        #expect(short.descriptor.pictureID == 127 && !short.descriptor.hasLongPictureID && short.byteCount == 3)
        let none = try #require(VP8Depacketizer.payloadDescriptor(of: hex("13 01")))
        #expect(none.descriptor.pictureID == nil && none.byteCount == 1)
        #expect(none.descriptor.partition == 3 && !none.descriptor.beginsFrame)
    }

    @Test(
        "Descriptors cut short are none",
        arguments: ["", "80", "80 80", "80 80 80", "80 c0 01", "80 20", "90 f0 8001 01"]
    )
    func truncated(text: String) {
        #expect(VP8Depacketizer.payloadDescriptor(of: hex(text)) == nil)
    }

    @Test("A second beginning, another picture, and a frame without bytes are refused")
    func broken() {
        var depacketizer = VP8Depacketizer()
        #expect(depacketizer.frame(hex: ["10 01", "10 02"]).error == .inconsistentPackets)
        #expect(depacketizer.frame(hex: ["90 80 01 01", "80 80 02 02"]).error == .inconsistentPackets)
        #expect(depacketizer.frame(hex: ["10 01", "00"]).error == .emptyPayload)
        #expect(depacketizer.frame(hex: ["00 01", "00 02"]).error == .missingStart)
        #expect(depacketizer.frame(hex: ["11 01"]).error == .missingStart)
        // The beginning of another partition goes on with the frame.
        #expect(depacketizer.frame(hex: ["10 01", "11 02", "00 03"]).bytes == [1, 2, 3])
    }

    @Test("Picture IDs and base indices go on from frame to frame")
    func counting() throws {
        var packetizer = VP8Packetizer(pictureID: 127, hasLongPictureID: false)
        var seen: [VP8PayloadDescriptor] = []
        for layer: UInt8 in [0, 1, 0] {
            try packetizer.packetize(
                EncodedFrame([1, 2, 3]),
                layer: VP8Packetizer.Layer(temporalID: layer, isLayerSync: layer == 1),
                maximumPayloadSize: 100
            ) { payload in
                let bytes = (0..<payload.pieces[0].prefix.count).map { payload.pieces[0].prefix[$0] } + [0]
                seen.append(VP8Depacketizer.payloadDescriptor(of: bytes)!.descriptor)
            }
        }
        #expect(seen.map(\.pictureID) == [127, 0, 1])
        #expect(seen.map(\.temporalBaseIndex) == [1, 1, 2])
        #expect(seen.map(\.temporalID) == [0, 1, 0])
        #expect(seen.map(\.isLayerSync) == [false, true, false])
    }
}
