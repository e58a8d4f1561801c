import NIOCore
import RTCBase
import RTCRTP
import RTCTestKit
import Testing

@testable import RTCCore

/// Tones of a telephone beside sound, in virtual time.
@Suite("DTMF")
struct DTMFTests {
    private static func lossy(_ loss: Double) -> SimulatedNetwork.Link {
        var link = SimulatedNetwork.Link()
        link.delay = .milliseconds(20)
        link.loss = loss
        return link
    }

    private func insert(_ tones: String, _ call: MediaCall, duration: Int64 = 100, gap: Int64 = 70) throws {
        try call.pair.left.session.insertDTMF(
            tones,
            duration: .milliseconds(duration),
            gap: .milliseconds(gap),
            of: call.left,
            now: call.pair.now
        )
    }

    @Test("tones cross with their durations, and the sender hears of each and of the end")
    func tones() throws {
        let call = try MediaCall(.audio, seed: 1)
        try call.play(10)
        try self.insert("1a#", call, duration: 120, gap: 60)
        #expect(call.pair.left.session.toneBuffer(of: call.left) == "1A#")
        try call.play(50, from: 10)
        #expect(call.leftEvents.toneChanges.map(\.tone) == ["1", "A", "#", ""])
        #expect(call.leftEvents.toneChanges.map(\.remaining) == ["A#", "#", "", ""])
        let heard = call.rightEvents.tones
        #expect(heard.map(\.tone) == [.one, .one, .a, .a, .pound, .pound])
        #expect(zip(heard, heard.dropFirst()).allSatisfy { $1.timestamp >= $0.timestamp })
        for event in heard {
            guard case .ended(let duration) = event.phase else { continue }
            #expect(abs((duration - .milliseconds(120)) / .milliseconds(1)) < 1, "\(duration)")
        }
        // 120 ms and 60 ms at 48 kHz, in the clock of the sound.
        let begins = heard.filter { $0.phase == .began }.map(\.timestamp)
        #expect(zip(begins, begins.dropFirst()).allSatisfy { $1 &- $0 == 8640 }, "\(begins)")
    }

    @Test("tones and sound share stream, numbers and clock, and no frame seems lost")
    func numbers() throws {
        let call = try MediaCall(.audio, seed: 2)
        call.pair.right.session.setWants(packets: true, frames: true, target: nil, of: call.right)
        try call.play(20)
        try self.insert("5", call)
        try call.play(40, from: 20)
        call.advance(.seconds(1))
        let packets = call.rightEvents.packets
        let numbers = packets.map(\.packet.sequenceNumber)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
        #expect(Set(packets.map(\.packet.ssrc)).count == 1)
        let events = packets.filter { $0.format.codec.mimeType == "audio/telephone-event" }
        #expect(Set(events.map(\.packet.timestamp)).count == 1 && events.count == 5)
        #expect(events.map(\.packet.marker) == [true, false, false, false, false])
        #expect(events.first?.format.codec.clockRate == 48_000)
        // The tone begins where the sound had got to, and takes its place for as long as it lasts; the frame of that moment went before.
        let sound = packets.filter { $0.format.codec.mimeType == "audio/opus" }
        let before = try #require(sound.dropFirst(19).first?.packet.timestamp)
        #expect(events.first.map { $0.packet.timestamp &- before } == 960)
        #expect(sound.count == 56)
        let frames = call.rightEvents.frames
        #expect(frames.count == 56 && frames.allSatisfy { !$0.followsLoss })
        // No frame waited for what was not lost.
        let inbound = try #require(call.report(call.pair.right).inbound.first)
        #expect(inbound.packetsLost == 0 && inbound.jitter < 0.001)
    }

    @Test("a third of the packets lost leaves each tone to be heard once", arguments: [1, 2, 3] as [UInt64])
    func loss(seed: UInt64) throws {
        let call = try MediaCall(.audio, seed: seed, link: Self.lossy(0.3))
        try call.play(10)
        try self.insert("0123456789", call, duration: 200, gap: 70)
        try call.play(200, from: 10)
        let begun = call.rightEvents.tones.filter { $0.phase == .began }.compactMap(\.tone?.character)
        #expect(String(begun) == "0123456789", "seed \(seed)")
        #expect(call.rightEvents.tones.count == 20)
    }

    @Test("a pause lasts 2 s, new tones replace those that wait, and none stops after the one under way")
    func replacing() throws {
        let call = try MediaCall(.audio, seed: 4)
        try self.insert("1,2", call)
        call.advance(.milliseconds(200))
        #expect(call.leftEvents.toneChanges.map(\.tone) == ["1", ","])
        try self.insert("99", call)
        call.advance(.milliseconds(1900))
        #expect(call.leftEvents.toneChanges.map(\.tone) == ["1", ","])
        call.advance(.milliseconds(100))
        #expect(call.leftEvents.toneChanges.map(\.tone) == ["1", ",", "9"])
        try self.insert("", call)
        call.advance(.seconds(1))
        #expect(call.leftEvents.toneChanges.map(\.tone) == ["1", ",", "9", ""])
        #expect(call.rightEvents.tones.filter { $0.phase == .began }.map(\.tone) == [.one, .nine])
    }

    @Test("tones are refused where none can be sent, and for what is no tone")
    func refusals() throws {
        let video = try MediaCall(.video, seed: 5)
        #expect(throws: RTCError.self) { try self.insert("1", video) }
        #expect(!video.pair.left.session.canInsertDTMF(of: video.left))
        let call = try MediaCall(.audio, seed: 6, isOneWay: true)
        #expect(call.pair.left.session.canInsertDTMF(of: call.left))
        #expect(!call.pair.right.session.canInsertDTMF(of: call.right))
        let error = #expect(throws: RTCError.self) { try self.insert("12E", call) }
        #expect(error?.code == .invalidCharacter)
        #expect(call.pair.left.session.toneBuffer(of: call.left) == "")
        try call.pair.left.session.replaceTrack(of: call.left, with: nil)
        #expect(throws: RTCError.self) { try self.insert("1", call) }
        let fresh = try PeerPair(seed: 7)
        let id = try fresh.left.session.addTransceiver(.audio, trackID: "t", TransceiverInit())
        #expect(!fresh.left.session.canInsertDTMF(of: id))
    }

    @Test("when the direction no longer sends, playing breaks off without an event")
    func direction() throws {
        let call = try MediaCall(.audio, seed: 8)
        try self.insert("123456", call, duration: 300)
        call.advance(.milliseconds(500))
        try call.pair.left.session.setDirection(.recvonly, of: call.left)
        try call.pair.negotiate()
        call.advance(.seconds(3))
        #expect(call.leftEvents.toneChanges.map(\.tone) == ["1", "2"])
        #expect(call.pair.left.session.toneBuffer(of: call.left) == "3456")
        #expect(call.pair.left.session.nextTimeout.map { $0 > call.pair.now } ?? true)
    }

    @Test("tones that are forwarded keep their place among the packets")
    func forwarding() throws {
        let first = try MediaCall(.audio, seed: 9)
        let second = try MediaCall(.audio, seed: 10)
        first.pair.right.session.setWants(packets: true, frames: false, target: nil, of: first.right)
        second.pair.right.session.setWants(packets: true, frames: true, target: nil, of: second.right)
        try first.play(5)
        try self.insert("7", first)
        try first.play(20, from: 5)
        for packet in first.rightEvents.packets {
            second.pair.left.session.send(packet, of: second.left, encoding: 0, now: second.pair.now)
            second.advance(.milliseconds(10))
        }
        #expect(second.rightEvents.packets.count == first.rightEvents.packets.count)
        #expect(second.rightEvents.tones.map(\.tone) == [.seven, .seven])
        #expect(second.report(second.pair.left).codecs.map(\.mimeType) == ["audio/opus"])
    }

    @Test("a tone of its own between packets that are forwarded leaves no gap and repeats no number")
    func interjection() throws {
        let first = try MediaCall(.audio, seed: 11)
        let second = try MediaCall(.audio, seed: 12)
        first.pair.right.session.setWants(packets: true, frames: false, target: nil, of: first.right)
        second.pair.right.session.setWants(packets: true, frames: true, target: nil, of: second.right)
        try first.play(40)
        for (index, packet) in first.rightEvents.packets.enumerated() {
            if index == 10 { try self.insert("3", second) }
            second.pair.left.session.send(packet, of: second.left, encoding: 0, now: second.pair.now)
            second.advance(.milliseconds(20))
        }
        let packets = second.rightEvents.packets
        let numbers = packets.map(\.packet.sequenceNumber)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
        #expect(
            zip(packets, packets.dropFirst()).allSatisfy {
                Int32(bitPattern: $1.packet.timestamp &- $0.packet.timestamp) >= 0
            }
        )
        #expect(second.rightEvents.tones.map(\.tone) == [.three, .three])
    }
}
