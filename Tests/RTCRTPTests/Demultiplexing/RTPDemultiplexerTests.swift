import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Demultiplexing")
struct RTPDemultiplexerTests {
    static let map = HeaderExtensionMap([.mid: 1, .rid: 2, .repairedRID: 3])
    static let opus = PayloadType(lowBitsOf: 111)
    static let vp8 = PayloadType(lowBitsOf: 96)
    static let rtx = PayloadType(lowBitsOf: 97)
    static let fec = PayloadType(lowBitsOf: 98)

    static func audio(_ id: Int, _ mid: String) -> RTPDemultiplexer.Section {
        .init(id: id, mid: mid, payloadTypes: [opus])
    }

    static func video(_ id: Int, _ mid: String, encodings: [String] = []) -> RTPDemultiplexer.Section {
        .init(
            id: id,
            mid: mid,
            payloadTypes: [vp8],
            retransmissionPayloadTypes: [rtx],
            repairPayloadTypes: [fec],
            encodings: encodings
        )
    }

    static func demultiplexer(
        _ sections: [RTPDemultiplexer.Section],
        maximum: Int = 100
    ) -> RTPDemultiplexer {
        var demultiplexer = RTPDemultiplexer(maximumLearnedStreams: maximum)
        demultiplexer.setSections(sections, extensionMap: map)
        return demultiplexer
    }

    static func packet(
        _ ssrc: UInt32,
        _ type: PayloadType,
        mid: String? = nil,
        rid: String? = nil,
        repairedRID: String? = nil
    ) -> [UInt8] {
        let header = RTPHeader(payloadType: type, sequenceNumber: 1, timestamp: 1, ssrc: SSRC(ssrc))
        var buffer = ByteBuffer()
        buffer.writeRTPPacket(header, maximumSize: 200) { writer in
            if let mid { writer.appendExtension(MIDExtension(mid), map: map) }
            if let rid { writer.appendExtension(RIDExtension(rid), map: map) }
            if let repairedRID { writer.appendExtension(RepairedRIDExtension(repairedRID), map: map) }
            writer.appendPayload([1, 2, 3].span.bytes)
        }
        return Wire.bytes(buffer)
    }

    @Test("a MID names the section, and its stream is known from then on")
    func mid() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a"), Self.audio(8, "b")])
        let first = demultiplexer.route(Self.packet(1, Self.opus, mid: "b"))
        #expect(first?.section == 8 && first?.isNew == true && first?.role == .primary)
        let second = demultiplexer.route(Self.packet(1, Self.opus))
        #expect(second?.section == 8 && second?.isNew == false)
        #expect(demultiplexer.remoteRoute(of: SSRC(1))?.section == 8)
    }

    @Test("a MID that changes moves the stream")
    func midChanges() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a"), Self.audio(8, "b")])
        _ = demultiplexer.route(Self.packet(1, Self.opus, mid: "a"))
        let moved = demultiplexer.route(Self.packet(1, Self.opus, mid: "b"))
        #expect(moved?.section == 8 && moved?.isNew == true)
        #expect(demultiplexer.route(Self.packet(1, Self.opus, mid: "b"))?.isNew == false)
        #expect(demultiplexer.route(Self.packet(1, Self.opus))?.section == 8)
    }

    @Test("a payload type that one section alone has names it; one that two have does not")
    func payloadType() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a"), Self.video(8, "b")])
        #expect(demultiplexer.route(Self.packet(1, Self.opus))?.section == 7)
        #expect(demultiplexer.route(Self.packet(2, Self.vp8))?.section == 8)
        demultiplexer.setSections([Self.audio(7, "a"), Self.audio(9, "c")], extensionMap: Self.map)
        #expect(demultiplexer.route(Self.packet(3, Self.opus)) == nil)
        #expect(demultiplexer.counters.unknownSSRC == 1)
    }

    @Test("what belongs nowhere is counted by reason, and teaches nothing")
    func unknown() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a"), Self.video(8, "b", encodings: ["hi", "lo"])])
        #expect(demultiplexer.route(Self.packet(1, Self.opus, mid: "x")) == nil)
        #expect(demultiplexer.route(Self.packet(1, Self.vp8, mid: "a")) == nil)
        #expect(demultiplexer.route(Self.packet(1, PayloadType(lowBitsOf: 5))) == nil)
        #expect(demultiplexer.route(Self.packet(1, Self.vp8, mid: "b")) == nil)
        #expect(demultiplexer.route(Self.packet(1, Self.vp8, mid: "b", rid: "mid")) == nil)
        var expected = RTPDemultiplexer.Counters()
        expected.unknownMID = 1
        expected.unexpectedPayloadType = 1
        expected.unknownSSRC = 1
        expected.unknownEncoding = 2
        #expect(demultiplexer.counters == expected)
        #expect(demultiplexer.remoteRoute(of: SSRC(1)) == nil)
    }

    @Test("a known stream with a payload type that its section does not receive is dropped")
    func unexpectedPayloadType() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a"), Self.video(8, "b")])
        _ = demultiplexer.route(Self.packet(1, Self.opus, mid: "a"))
        #expect(demultiplexer.route(Self.packet(1, Self.vp8)) == nil)
        #expect(demultiplexer.counters.unexpectedPayloadType == 1)
        #expect(demultiplexer.route(Self.packet(1, Self.opus)) != nil)
    }

    @Test("a stream whose first MID is unknown stays where it was for packets without")
    func unknownMIDLater() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a")])
        _ = demultiplexer.route(Self.packet(1, Self.opus, mid: "a"))
        #expect(demultiplexer.route(Self.packet(1, Self.opus, mid: "zz")) == nil)
        #expect(demultiplexer.counters.unknownMID == 1)
        #expect(demultiplexer.route(Self.packet(1, Self.opus))?.section == 7)
    }

    @Test("encodings are told by RID, their retransmissions by repaired RID, in any order of arrival")
    func simulcast() {
        for isMediaFirst in [true, false] {
            var demultiplexer = Self.demultiplexer([Self.video(8, "b", encodings: ["hi", "lo"])])
            let media = [
                Self.packet(1, Self.vp8, mid: "b", rid: "hi"), Self.packet(2, Self.vp8, mid: "b", rid: "lo"),
            ]
            let repairs = [
                Self.packet(11, Self.rtx, mid: "b", repairedRID: "hi"),
                Self.packet(12, Self.rtx, mid: "b", repairedRID: "lo"),
            ]
            for bytes in isMediaFirst ? media + repairs : repairs + media { _ = demultiplexer.route(bytes) }
            #expect(demultiplexer.route(Self.packet(1, Self.vp8))?.encoding == 0)
            #expect(demultiplexer.route(Self.packet(2, Self.vp8))?.encoding == 1)
            let repair = demultiplexer.route(Self.packet(12, Self.rtx))
            #expect(repair?.encoding == 1 && repair?.role == .retransmission)
            #expect(repair?.protectedSSRC == SSRC(2))
            #expect(demultiplexer.route(Self.packet(11, Self.rtx))?.protectedSSRC == SSRC(1))
        }
    }

    @Test("a new stream of an encoding takes over what its retransmissions are about")
    func encodingMoves() {
        var demultiplexer = Self.demultiplexer([Self.video(8, "b", encodings: ["hi"])])
        _ = demultiplexer.route(Self.packet(1, Self.vp8, mid: "b", rid: "hi"))
        _ = demultiplexer.route(Self.packet(11, Self.rtx, mid: "b", repairedRID: "hi"))
        let second = demultiplexer.route(Self.packet(2, Self.vp8, mid: "b", rid: "hi"))
        #expect(second?.isNew == true)
        #expect(demultiplexer.route(Self.packet(11, Self.rtx))?.protectedSSRC == SSRC(2))
        #expect(demultiplexer.route(Self.packet(2, Self.vp8, mid: "b", rid: "hi"))?.isNew == false)
    }

    @Test("a retransmission without names belongs to the only stream of its section, or to none of several")
    func onlyStream() {
        var demultiplexer = Self.demultiplexer([Self.video(8, "b")])
        #expect(demultiplexer.route(Self.packet(11, Self.rtx))?.protectedSSRC == nil)
        _ = demultiplexer.route(Self.packet(1, Self.vp8))
        #expect(demultiplexer.route(Self.packet(11, Self.rtx))?.protectedSSRC == SSRC(1))
        #expect(demultiplexer.route(Self.packet(13, Self.fec))?.role == .forwardErrorCorrection)
        _ = demultiplexer.route(Self.packet(2, Self.vp8))
        #expect(demultiplexer.route(Self.packet(12, Self.rtx))?.protectedSSRC == nil)
    }

    @Test("streams that the description announces need no name, and are never forgotten")
    func announced() {
        var section = Self.video(8, "b")
        section.sources = [
            .init(ssrc: SSRC(1)), .init(ssrc: SSRC(2)),
            .init(ssrc: SSRC(11), role: .retransmission, protectedSSRC: SSRC(1)),
        ]
        var demultiplexer = Self.demultiplexer([section, Self.video(9, "c")], maximum: 1)
        #expect(demultiplexer.route(Self.packet(1, Self.vp8))?.section == 8)
        #expect(demultiplexer.route(Self.packet(11, Self.rtx))?.protectedSSRC == SSRC(1))
        for ssrc in UInt32(100)...110 { _ = demultiplexer.route(Self.packet(ssrc, Self.vp8, mid: "c")) }
        demultiplexer.forget(SSRC(1))
        #expect(demultiplexer.route(Self.packet(1, Self.vp8))?.section == 8)
        #expect(demultiplexer.route(Self.packet(11, Self.rtx))?.protectedSSRC == SSRC(1))
        #expect(demultiplexer.counters.evictedStreams == 10)
    }

    @Test("announced as media, a stream of retransmissions is taken for what it is")
    func announcedWithoutRole() {
        var section = Self.video(8, "b")
        section.sources = [.init(ssrc: SSRC(1)), .init(ssrc: SSRC(2))]
        var demultiplexer = Self.demultiplexer([section])
        #expect(demultiplexer.route(Self.packet(2, Self.rtx))?.role == .retransmission)
        #expect(demultiplexer.route(Self.packet(2, Self.rtx))?.protectedSSRC == SSRC(1))
    }

    @Test("too many streams push out the one that was used least recently")
    func eviction() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a"), Self.audio(8, "b")], maximum: 3)
        for ssrc in UInt32(1)...3 { _ = demultiplexer.route(Self.packet(ssrc, Self.opus, mid: "a")) }
        _ = demultiplexer.route(Self.packet(1, Self.opus))
        _ = demultiplexer.route(Self.packet(4, Self.opus, mid: "b"))
        #expect(demultiplexer.counters.evictedStreams == 1)
        #expect(demultiplexer.remoteRoute(of: SSRC(2)) == nil)
        #expect(demultiplexer.route(Self.packet(1, Self.opus))?.section == 7)
        #expect(demultiplexer.route(Self.packet(3, Self.opus))?.section == 7)
        #expect(demultiplexer.route(Self.packet(4, Self.opus))?.section == 8)
    }

    @Test("a new description keeps learned streams whose section and encoding are still there")
    func renegotiation() {
        var demultiplexer = Self.demultiplexer([Self.audio(1, "a"), Self.video(2, "b", encodings: ["hi", "lo"])])
        _ = demultiplexer.route(Self.packet(1, Self.opus, mid: "a"))
        _ = demultiplexer.route(Self.packet(2, Self.vp8, mid: "b", rid: "lo"))
        _ = demultiplexer.route(Self.packet(3, Self.vp8, mid: "b", rid: "hi"))
        let next = [Self.audio(6, "c"), Self.video(5, "b", encodings: ["lo"])]
        demultiplexer.setSections(next, extensionMap: Self.map)
        let route = demultiplexer.route(Self.packet(2, Self.vp8))
        #expect(route?.section == 5 && route?.encoding == 0 && route?.isNew == false)
        #expect(demultiplexer.route(Self.packet(3, Self.vp8)) == nil)
        #expect(demultiplexer.remoteRoute(of: SSRC(1)) == nil)
        demultiplexer.setSections([], extensionMap: Self.map)
        #expect(demultiplexer.route(Self.packet(2, Self.vp8)) == nil)
    }

    @Test("a stream that said goodbye has to be learned again")
    func forget() {
        var demultiplexer = Self.demultiplexer([Self.video(8, "b"), Self.video(9, "c")])
        _ = demultiplexer.route(Self.packet(1, Self.vp8, mid: "b"))
        _ = demultiplexer.route(Self.packet(11, Self.rtx, mid: "b"))
        demultiplexer.forget(SSRC(1))
        #expect(demultiplexer.route(Self.packet(1, Self.vp8)) == nil)
        #expect(demultiplexer.route(Self.packet(11, Self.rtx))?.protectedSSRC == nil)
    }

    @Test("RTCP goes to the section of the stream that it names, ours or the peer's")
    func rtcp() {
        var demultiplexer = Self.demultiplexer([Self.audio(7, "a"), Self.audio(8, "b")])
        demultiplexer.addLocalStream(SSRC(50), section: 7, encoding: 1)
        #expect(demultiplexer.localRoute(of: SSRC(50))?.encoding == 1)
        demultiplexer.removeLocalStream(SSRC(50))
        #expect(demultiplexer.localRoute(of: SSRC(50)) == nil)
        let bytes = RTCPSamples.written {
            $0.writeRTCPSourceDescription(ssrc: SSRC(1), items: [.cname: "c", .mid: "b"])
            $0.writeRTCPSourceDescription(ssrc: SSRC(2), items: [.mid: "x"])
        }
        for case .sourceDescription(let description) in RTCPSamples.packets(bytes) {
            demultiplexer.learn(description, in: bytes.span.bytes)
        }
        #expect(demultiplexer.remoteRoute(of: SSRC(1))?.section == 8)
        #expect(demultiplexer.remoteRoute(of: SSRC(2)) == nil)
        #expect(demultiplexer.route(Self.packet(1, Self.opus))?.section == 8)
    }

    @Test("whatever packets come, tables stay bounded and consistent", arguments: 0..<6)
    func randomTraffic(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        let mids: [String?] = [nil, "a", "b", "c", "zz"]
        let rids: [String?] = [nil, "hi", "lo", "zz"]
        let types = [Self.opus, Self.vp8, Self.rtx, Self.fec, PayloadType(lowBitsOf: 1)]
        var demultiplexer = Self.demultiplexer([], maximum: 8)
        for step in 0..<3_000 {
            if step % 500 == 0 {
                var announced = Self.video(3, "c", encodings: random.next() % 2 == 0 ? [] : ["hi", "lo"])
                announced.sources = [.init(ssrc: SSRC(UInt32(random.next() % 30)))]
                demultiplexer.setSections(
                    [Self.audio(1, "a"), Self.video(2, "b", encodings: ["hi", "lo"]), announced],
                    extensionMap: Self.map
                )
            }
            let ssrc = UInt32(random.next() % 30)
            let bytes = Self.packet(
                ssrc,
                types[Int(random.next() % 5)],
                mid: mids[Int(random.next() % 5)],
                rid: rids[Int(random.next() % 4)],
                repairedRID: rids[Int(random.next() % 4)]
            )
            if let route = demultiplexer.route(bytes) {
                #expect((1...3).contains(route.section), "seed \(seed)")
                #expect(demultiplexer.remoteRoute(of: SSRC(ssrc))?.section == route.section, "seed \(seed)")
            }
            if random.next() % 50 == 0 { demultiplexer.forget(SSRC(UInt32(random.next() % 30))) }
            #expect(demultiplexer.learnedCount <= 8)
            #expect(demultiplexer.learnedCount == demultiplexer.streams.count { !$0.isAnnounced }, "seed \(seed)")
            #expect(demultiplexer.streamIndices.count == demultiplexer.streams.count, "seed \(seed)")
        }
    }
}

extension RTPDemultiplexer {
    mutating func route(_ bytes: [UInt8]) -> RTPRoute? {
        guard let view = RTPPacketView(bytes) else { return nil }
        return self.route(view, in: bytes.span.bytes)
    }
}
