import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("RTP packets read")
struct RTPPacketViewTests {
    /// Two sources, an extension of the one-byte form with ids 1 and 3, five bytes of payload, three of padding.
    static let full = Wire.bytes(
        """
        b2e01234 89abcdef cafef00d 00000001 00000002
        bede0002 10aa00 31bbcc 0000
        0102030405 000003
        """
    )

    @Test("a plain packet is read whole")
    func plain() throws {
        let bytes = Wire.bytes("80e01234 89abcdef cafef00d 010203")
        let view = try #require(RTPPacketView(bytes))
        #expect(view.header == .sample)
        #expect(view.contributingSourceCount == 0)
        #expect(view.extensionProfile == nil)
        #expect(view.elements(in: bytes).isEmpty)
        #expect(view.payload(in: bytes) == [1, 2, 3])
        #expect(view.paddingSize == 0)
        #expect(view.size == bytes.count)
    }

    @Test("contributing sources, extension and padding are told apart from the payload")
    func full() throws {
        let view = try #require(RTPPacketView(Self.full))
        #expect(view.header == .sample)
        #expect(view.contributingSources(in: Self.full) == [1, 2])
        #expect(view.contributingSource(at: 2, in: Self.full.span.bytes) == nil)
        #expect(view.extensionForm == .oneByte)
        #expect(
            view.elements(in: Self.full)
                == [TestElement(id: 1, bytes: [0xAA]), TestElement(id: 3, bytes: [0xBB, 0xCC])]
        )
        #expect(view.payload(in: Self.full) == [1, 2, 3, 4, 5])
        #expect(view.paddingSize == 3)
        #expect(view.headerSize == 32)
        #expect(view.size == Self.full.count)
    }

    @Test("an extension of an application's own profile has a place but no elements")
    func otherProfile() throws {
        let bytes = Wire.bytes("90601234 89abcdef cafef00d 12340001 10aa10aa 01")
        let view = try #require(RTPPacketView(bytes))
        #expect(view.extensionProfile == 0x1234)
        #expect(view.extensionForm == nil)
        #expect(view.extensionRange == 16..<20)
        #expect(view.elements(in: bytes).isEmpty)
    }

    @Test("a packet of nothing but padding has an empty payload")
    func paddingOnly() throws {
        let bytes = Wire.bytes("a0601234 89abcdef cafef00d 00000004")
        let view = try #require(RTPPacketView(bytes))
        #expect(view.payloadRange.isEmpty)
        #expect(view.paddingSize == 4)
    }

    @Test(
        "broken packets are no packets",
        arguments: [
            ("nothing", ""),
            ("a header cut short", "80601234 89abcdef cafef0"),
            ("version 1", "40601234 89abcdef cafef00d"),
            ("version 3", "c0601234 89abcdef cafef00d"),
            ("a contributing source beyond the end", "81601234 89abcdef cafef00d 000000"),
            ("an extension without its header", "90601234 89abcdef cafef00d bede00"),
            ("an extension beyond the end", "90601234 89abcdef cafef00d bede0002 10aa0000"),
            ("padding of no bytes", "a0601234 89abcdef cafef00d 0100"),
            ("padding that is longer than the payload", "a0601234 89abcdef cafef00d 0103"),
            ("padding that reaches into the extension", "b0601234 89abcdef cafef00d bede0001 10aa0005 05"),
            ("padding in an empty packet", "a0601234 89abcdef cafef00d"),
            ("a receiver report", "80c90001 89abcdef cafef00d"),
        ]
    )
    func broken(name: String, hex: String) {
        #expect(RTPPacketView(Wire.bytes(hex)) == nil, "\(name)")
    }

    @Test(
        "RTP and RTCP are told apart by their payload type",
        arguments: [
            ("80601234 89abcdef cafef00d", RTPPacketKind.rtp),
            ("80ff1234 89abcdef cafef00d", .rtp),
            ("80bf1234 89abcdef cafef00d", .rtp),
            ("80e01234 89abcdef cafef00d", .rtp),
            ("803f1234 89abcdef cafef00d", .rtp),
            ("80c80001 89abcdef", .rtcp),
            ("81cf0001 89abcdef", .rtcp),
            ("80c00001 89abcdef", .rtcp),
            ("80df0001 89abcdef", .rtcp),
        ]
    )
    func kinds(hex: String, kind: RTPPacketKind) {
        #expect(RTPPacketKind(Wire.bytes(hex)) == kind)
    }

    @Test("what is too short or of another version is neither RTP nor RTCP")
    func neither() {
        #expect(RTPPacketKind([]) == nil)
        #expect(RTPPacketKind([0x80]) == nil)
        #expect(RTPPacketKind(Wire.bytes("80601234 89abcdef cafef0")) == nil)
        #expect(RTPPacketKind(Wire.bytes("80c80001 89abcd")) == nil)
        #expect(RTPPacketKind(Wire.bytes("00601234 89abcdef cafef00d")) == nil)
    }

    @Test("hostile bytes never trap, and borders stay inside the packet", arguments: 0..<8)
    func mutations(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<3_000 {
            let bytes = Wire.mutated(Self.full, using: &random)
            _ = RTPPacketKind(bytes)
            guard let view = RTPPacketView(bytes) else { continue }
            #expect(view.size == bytes.count, "seed \(seed)")
            for element in view.elements(in: bytes) { #expect(element.id != 0, "seed \(seed)") }
            // Reading from another packet is wrong, not deadly.
            let other = Array(bytes.prefix(9)).span.bytes
            _ = view.contributingSource(at: 0, in: other)
            _ = view.extensionRange(id: 1, in: other)
            var map = HeaderExtensionMap()
            map[.mid] = 1
            _ = view.value(MIDExtension.self, in: other, map: map)
        }
    }
}
