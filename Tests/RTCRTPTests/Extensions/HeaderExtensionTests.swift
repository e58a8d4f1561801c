import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Header extensions")
struct HeaderExtensionTests {
    private func elements(_ profile: String, _ hex: String) -> [TestElement]? {
        let content = Wire.bytes(hex)
        let words = String(content.count / 4, radix: 16)
        let length = String(repeating: "0", count: 4 - words.count) + words
        let bytes = Wire.bytes("90601234 89abcdef cafef00d" + profile + length) + content
        return RTPPacketView(bytes)?.elements(in: bytes)
    }

    @Test("elements of the one-byte form are read, padding between them skipped")
    func oneByte() {
        #expect(
            elements("bede", "10aa 00 00 31bbcc 00")
                == [TestElement(id: 1, bytes: [0xAA]), TestElement(id: 3, bytes: [0xBB, 0xCC])]
        )
    }

    @Test("elements of the two-byte form are read, empty ones and any application bits too")
    func twoByte() {
        for profile in ["1000", "100f"] {
            #expect(
                elements(profile, "0100 00 ff03010203")
                    == [TestElement(id: 1, bytes: []), TestElement(id: 255, bytes: [1, 2, 3])]
            )
        }
        #expect(elements("1010", "0100 00 ff03010203") == [])
    }

    @Test("reading ends before an element that is broken or reserved, and keeps those before it")
    func broken() {
        let first = [TestElement(id: 1, bytes: [0xAA])]
        // Id 15, id 0 with a length, a length beyond the end, and the last byte alone.
        #expect(elements("bede", "10aa f0bb 20cc 0000") == first)
        #expect(elements("bede", "10aa 01bb 20cc 0000") == first)
        #expect(elements("bede", "10aa 2f01 02030405") == first)
        #expect(elements("bede", "10aa 0020") == first)
        #expect(elements("1000", "0101aa 0206 010203") == first)
        #expect(elements("1000", "0101aa 02") == first)
    }

    @Test("the first of two elements with one id counts")
    func firstCounts() throws {
        let bytes = Wire.bytes("90601234 89abcdef cafef00d bede0001 10aa10bb")
        let view = try #require(RTPPacketView(bytes))
        #expect(view.extensionRange(id: 1, in: bytes.span.bytes) == 17..<18)
        #expect(view.extensionRange(id: 2, in: bytes.span.bytes) == nil)
    }

    @Test("a map gives ids to kinds and kinds to ids, each id to one kind only")
    func map() {
        var map = HeaderExtensionMap([.mid: 1, .rid: 2, .dependencyDescriptor: 40])
        #expect(map[.mid] == 1)
        #expect(map.kind(of: 40) == .dependencyDescriptor)
        #expect(map.kind(of: 0) == nil)
        #expect(map.kind(of: 3) == nil)
        #expect(map.needsTwoByteForm)
        map[.dependencyDescriptor] = nil
        #expect(!map.needsTwoByteForm)
        map[.audioLevel] = 1
        #expect(map[.mid] == nil)
        #expect(map.kind(of: 1) == .audioLevel)
        map[.audioLevel] = 0
        map[.rid] = nil
        #expect(map.isEmpty)
    }

    @Test("every kind has a name of its own that leads back to it")
    func names() {
        #expect(Set(HeaderExtensionKind.allCases.map(\.uri)).count == HeaderExtensionKind.allCases.count)
        for kind in HeaderExtensionKind.allCases {
            #expect(HeaderExtensionKind(uri: kind.uri) == kind)
            #expect(kind.rawValue < 16, "the map has 16 places")
        }
        #expect(HeaderExtensionKind(uri: "urn:example:unknown") == nil)
    }
}
