import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("VP9 payloads")
struct VP9Tests {
    @Test("The non-flexible mode's descriptor says what it says, and its structure is read")
    func nonFlexible() throws {
        // I L B E V | 15-bit ID | TID 1 U SID 1 D | TL0PICIDX | N_S 1, Y, G | 2 sizes | N_G 2 | TID 0, R 1, diff | TID 1 U, R 2
        let text = "ae 8123 33 44 38 0140 00f0 0280 01e0 02 04 02 38 01 02 99"
        let payload = hex(text)
        let (own, size) = try #require(VP9Depacketizer.payloadDescriptor(of: payload))
        #expect(size == payload.count - 1)
        #expect(own.pictureID == 0x123 && own.hasLongPictureID && !own.isFlexible)
        #expect(own.temporalID == 1 && own.spatialID == 1 && own.isSwitchingPoint && own.isInterLayerPredicted)
        #expect(own.temporalBaseIndex == 0x44 && own.beginsLayerFrame && own.endsLayerFrame)
        let read = [UInt8](payload[own.structureRange]).withUnsafeBytes { bytes -> VP9ScalabilityStructure? in
            var reader = PayloadReader(bytes)
            return VP9ScalabilityStructure(&reader)
        }
        let structure = try #require(read)
        #expect(structure.sizes == [PictureSize(width: 320, height: 240), PictureSize(width: 640, height: 480)])
        #expect(
            structure.group == [
                .init(temporalID: 0, isSwitchingPoint: false, references: [2]),
                .init(temporalID: 1, isSwitchingPoint: true, references: [1, 2]),
            ]
        )
        var builder = PayloadBuilder()
        structure.write(to: &builder)
        #expect(builder.byteCount == structure.byteCount)
        var written: [UInt8] = []
        builder.emit(marker: false, beginsFrame: false) { payload in
            for piece in payload.pieces { written += (0..<piece.prefix.count).map { piece.prefix[$0] } }
        }
        #expect(written == Array(payload[own.structureRange]))
    }

    @Test("The flexible mode's references are read")
    func flexible() throws {
        // I P L F B | 7-bit ID | layers | P_DIFF 1 N | P_DIFF 3
        let (own, size) = try #require(VP9Depacketizer.payloadDescriptor(of: hex("f8 05 20 03 06 99")))
        #expect(size == 5)
        #expect(own.isFlexible && own.referenceCount == 2 && own.reference(0) == 1 && own.reference(1) == 3)
        #expect(own.temporalID == 1)
        let descriptor = try #require(VP9Depacketizer.descriptor(of: hex("f8 05 20 03 06 99"), marker: true))
        #expect(!descriptor.isKeyFrame && descriptor.beginsFrame == true && descriptor.temporalBaseIndex == nil)
    }

    @Test(
        "Broken descriptors are none",
        arguments: ["", "80", "88 80", "a8 01 20", "18 01", "d8 01 03 03 03 01", "8a 01 10 0001", "8a 01 08 05 04 01"]
    )
    func broken(text: String) {
        #expect(VP9Depacketizer.payloadDescriptor(of: hex(text)) == nil)
    }

    @Test("The layers of a picture become one superframe, and no part of it alone")
    func layers() throws {
        for isFlexible in [false, true] {
            var packetizer = VP9Packetizer(firstPictureID: 5, isFlexible: isFlexible)
            var packets: [TestPacket] = []
            let frames: [[UInt8]] = [Array(repeating: 1, count: 300), Array(repeating: 2, count: 40), [3]]
            for (index, bytes) in frames.enumerated() {
                var layer = VP9Packetizer.Layer()
                layer.spatialID = UInt8(index)
                layer.isInterLayerPredicted = index > 0
                layer.beginsPicture = index == 0
                layer.endsPicture = index == 2
                if index == 0 {
                    layer.structure = VP9ScalabilityStructure(
                        spatialLayers: 3,
                        sizes: (1...3).map { PictureSize(width: $0 * 100, height: $0 * 50) }
                    )
                }
                let frame = EncodedFrame(bytes, isKeyFrame: true)
                try packetizer.packetize(frame, layer: layer, maximumPayloadSize: 60) { payload in
                    var buffer = ByteBuffer()
                    payload.append(to: &buffer, from: frame.payload)
                    packets.append(
                        TestPacket(
                            payload: Array(buffer.readableBytesView),
                            marker: payload.marker,
                            sequenceNumber: UInt16(packets.count)
                        )
                    )
                }
            }
            var depacketizer = VP9Depacketizer()
            let expected: [UInt8] = Array(frames.joined()) + [0xCA, 0x2C, 0x01, 40, 0, 1, 0, 0xCA]
            let frame = try depacketizer.frame(packets).get()
            #expect(frame.bytes == expected && frame.isKeyFrame)
            #expect(depacketizer.structure?.spatialLayers == 3)
            for index in packets.indices {
                var lossy = packets
                lossy.remove(at: index)
                #expect(depacketizer.frame(lossy, isStartKnown: index != 0).error != nil, "without \(index)")
            }
            let next = VP9Depacketizer.payloadDescriptor(of: packets[0].payload)
            #expect(next?.descriptor.pictureID == 5 && packetizer.pictureID == 6)
        }
    }

    @Test("A layer that a server let through alone is a picture if its beginning is known")
    func loneLayer() {
        var depacketizer = VP9Depacketizer()
        // I P L B E, SID 2, not predicted from a lower layer.
        #expect(depacketizer.frame(hex: ["ec 01 04 09 77"], isStartKnown: true).bytes == [0x77])
        #expect(depacketizer.frame(hex: ["ec 01 04 09 77"], isStartKnown: false).error == .missingStart)
        // One that is predicted from a lower layer is not.
        #expect(depacketizer.frame(hex: ["ec 01 05 09 77"], isStartKnown: true).error == .missingStart)
    }

    @Test("Layers out of order, other pictures and ends that are missing are refused")
    func inconsistent() {
        var depacketizer = VP9Depacketizer()
        #expect(depacketizer.frame(hex: ["ac 01 02 00 01", "ac 01 02 00 01"]).error == .inconsistentPackets)
        #expect(depacketizer.frame(hex: ["a8 01 00 00 01", "ac 01 02 00 01"]).error == .inconsistentPackets)
        #expect(depacketizer.frame(hex: ["88 01 01", "84 02 01"]).error == .inconsistentPackets)
        #expect(depacketizer.frame(hex: ["88 01 01", "80 01 01"]).error == .missingEnd)
        #expect(depacketizer.frame(hex: ["8c 01"]).error == .emptyPayload)
    }

    @Test("What the flexible mode cannot say is the caller's error")
    func invalidLayers() {
        var packetizer = VP9Packetizer(isFlexible: true)
        var layer = VP9Packetizer.Layer()
        layer.isInterPicturePredicted = true
        for references: [UInt8] in [[], [0], [128], [1, 2, 3, 4]] {
            layer.references = references
            #expect(throws: PacketizationError.invalidLayer) {
                try packetizer.packetize(EncodedFrame([1]), layer: layer, maximumPayloadSize: 99) { _ in }
            }
        }
    }

    @Test("The size of a key frame is read in every profile's form")
    func sizes() {
        // Frame marker 2, profile 0, shown key frame, sync code, colours, 640 × 480.
        #expect(
            VP9FrameHeader(hex("82 49 83 42 00 27 f0 1d f0 00"))?.size
                == PictureSize(width: 640, height: 480)
        )
        #expect(VP9FrameHeader(hex("86 00"))?.isKeyFrame == false)
        #expect(VP9FrameHeader(hex("88"))?.showsExistingFrame == true)
        #expect(VP9FrameHeader(hex("82 49 83 43 00 27 f0 1d f0 00")) == nil)
        #expect(VP9FrameHeader(hex("42")) == nil)
    }
}
