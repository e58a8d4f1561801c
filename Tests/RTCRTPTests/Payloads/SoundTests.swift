import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Payloads of sound")
struct SoundTests {
    @Test(
        "Opus packets tell their duration",
        arguments: [
            ("78 01", 960, 1),  // Hybrid, full band, 20 ms
            ("00 01", 480, 1),  // SILK, narrow band, 10 ms
            ("18 01", 2880, 1),  // 60 ms
            ("e0 01", 120, 1),  // CELT, 2.5 ms
            ("f9 01 02", 1920, 2),
            ("fa 01 01 02", 1920, 2),
            ("fb 03 01 02 03", 2880, 3),
            ("fb 83 01 01 01 02 03", 2880, 3),
            ("fb 41 02 09 00 00", 960, 1),
            ("f8", 960, 1),
        ]
    )
    func opusDurations(text: String, duration: Int, frames: Int) throws {
        let packet = try #require(OpusPacket(hex(text)))
        #expect(packet.duration == duration && packet.frameCount == frames)
    }

    @Test(
        "Opus packets that break a rule are refused",
        arguments: [
            "", "f9 01", "fa", "fa 05 01", "fa fc", "fb", "fb 00", "fb 03 01 02", "fb 82 05 01", "fb 41 05 01",
            "1b 03 010203",
            "fb 41 ff", "e3 31",
        ]
    )
    func brokenOpus(text: String) {
        var depacketizer = OpusDepacketizer()
        #expect(OpusPacket(hex(text)) == nil)
        #expect(depacketizer.depacketize(hex(text), timestamp: 1).error != nil)
    }

    @Test("The marker is set after silence")
    func talk() throws {
        var packetizer = OpusPacketizer()
        let talk = EncodedFrame([0xF8, 1, 2, 3])
        let silence = EncodedFrame([0xF8])
        let markers = try [talk, talk, silence, silence, talk, talk].map {
            try packetizer.packets($0, maximum: 100)[0].marker
        }
        #expect(markers == [true, false, false, false, true, false])
        #expect(throws: PacketizationError.indivisible(byteCount: 4)) { try packetizer.packets(talk, maximum: 3) }
    }

    @Test("A block of samples is divided, a tick a byte")
    func samples() throws {
        var packetizer = PCMPacketizer()
        let block = EncodedFrame((0..<160).map { UInt8($0) })
        var offsets: [UInt32] = []
        var all: [UInt8] = []
        try packetizer.packetize(block, maximumPayloadSize: 50) { payload in
            offsets.append(payload.timestampOffset)
            var buffer = ByteBuffer()
            payload.append(to: &buffer, from: block.payload)
            all += Array(buffer.readableBytesView)
        }
        #expect(offsets == [0, 40, 80, 120] && all == block.bytes)
        var depacketizer = PCMDepacketizer()
        #expect(depacketizer.depacketize(block.bytes, timestamp: 9).bytes == block.bytes)
    }

    @Test("Comfort noise is read and written")
    func comfortNoise() {
        let noise = ComfortNoise(payload: hex("3f 01 02"))
        #expect(noise == ComfortNoise(level: 63, reflectionCoefficients: [1, 2]))
        #expect(noise?.payload == hex("3f 01 02"))
        #expect(ComfortNoise(payload: hex("")) == nil)
        #expect(ComfortNoise(payload: hex("80")) == nil)
    }
}

@Suite("RED")
struct REDTests {
    private let opus = PayloadType(rawValue: 111)!

    @Test("A packet carries earlier blocks with their timestamps")
    func roundTrip() throws {
        var encoder = REDEncoder(redundancy: 2)
        for index in UInt8(0)..<5 {
            var buffer = ByteBuffer()
            let timestamp = UInt32.max - 1000 &+ UInt32(index) * 960
            let payload = ByteBuffer(bytes: [index, index, index])
            try encoder.encode(
                payload,
                payloadType: self.opus,
                timestamp: timestamp,
                maximumPayloadSize: 100,
                into: &buffer
            )
            let bytes = Array(buffer.readableBytesView)
            let red = try REDPayload.parse(bytes, timestamp: timestamp).get()
            #expect(Array(bytes[red.primary.range]) == [index, index, index])
            #expect(red.primary.timestamp == timestamp && red.primary.payloadType == self.opus)
            let earlier = (UInt8(0)..<index).suffix(2)
            #expect(red.redundant.map { bytes[$0.range.lowerBound] } == Array(earlier))
            #expect(red.redundant.map { timestamp &- $0.timestamp } == earlier.map { UInt32(index - $0) * 960 })
        }
    }

    @Test("The bytes are those of RFC 2198's figure")
    func vector() throws {
        // 1, PT 111, offset 960, length 2; 0, PT 111; the blocks.
        let bytes = hex("ef 0f00 02 6f aaaa bbbbbb")
        let red = try REDPayload.parse(bytes, timestamp: 1000).get()
        #expect(red.redundant.map(\.timestamp) == [40] && red.redundant.map(\.range) == [5..<7])
        #expect(red.primary.range == 7..<10)
        var encoder = REDEncoder(redundancy: 1)
        var buffer = ByteBuffer()
        for (payload, timestamp) in [([0xAA, 0xAA], UInt32(40)), ([0xBB, 0xBB, 0xBB], 1000)] {
            buffer.clear()
            try encoder.encode(
                ByteBuffer(bytes: payload.map { UInt8($0) }),
                payloadType: self.opus,
                timestamp: timestamp,
                maximumPayloadSize: 100,
                into: &buffer
            )
        }
        #expect(Array(buffer.readableBytesView) == bytes)
    }

    @Test("What cannot be repeated is left out")
    func leftOut() throws {
        func blocks(first: Int, gap: UInt32, maximum: Int) throws -> Int {
            var encoder = REDEncoder(redundancy: 3)
            var buffer = ByteBuffer()
            try encoder.encode(
                ByteBuffer(repeating: 1, count: first),
                payloadType: self.opus,
                timestamp: 0,
                maximumPayloadSize: 2000,
                into: &buffer
            )
            buffer.clear()
            try encoder.encode(
                ByteBuffer(bytes: [1]),
                payloadType: self.opus,
                timestamp: gap,
                maximumPayloadSize: maximum,
                into: &buffer
            )
            let red = REDPayload.parse(Array(buffer.readableBytesView), timestamp: gap)
            return try red.get().redundant.count
        }
        #expect(try blocks(first: 10, gap: 960, maximum: 16) == 1)
        #expect(try blocks(first: 10, gap: 960, maximum: 15) == 0)
        #expect(try blocks(first: 1023, gap: 960, maximum: 2000) == 1)
        #expect(try blocks(first: 1024, gap: 960, maximum: 2000) == 0)
        #expect(try blocks(first: 10, gap: 16_383, maximum: 100) == 1)
        #expect(try blocks(first: 10, gap: 16_384, maximum: 100) == 0)
    }

    @Test(
        "Broken payloads are refused",
        arguments: [
            ("", REDPayload.Failure.truncatedHeader),
            ("ef", .truncatedHeader),
            ("ef 0f00", .truncatedHeader),
            ("ef 0f00 02", .truncatedHeader),
            ("ef 0f00 02 6f aa", .truncatedBlock),
            ("ef 0f00 02 6f aaaa", .emptyPrimary),
            ("6f", .emptyPrimary),
            (String(repeating: "ef 0f00 00 ", count: 16) + "6f 01", .tooManyBlocks),
        ]
    )
    func broken(text: String, failure: REDPayload.Failure) {
        #expect(REDPayload.parse(hex(text), timestamp: 0) == .failure(failure))
    }

    @Test("Noise never traps, and blocks lie inside the payload")
    func noise() {
        for seed in UInt64(0)..<3000 {
            var random = RandomSource.seeded(seed)
            let bytes = random.bytes(count: Int.random(in: 0..<40, using: &random))
            guard case .success(let red) = REDPayload.parse(bytes, timestamp: 5) else { continue }
            for block in red.redundant + [red.primary] {
                #expect(!block.range.isEmpty && block.range.upperBound <= bytes.count, "seed \(seed)")
            }
        }
    }
}

@Suite("Telephone events")
struct TelephoneEventTests {
    /// Plays to the end, in virtual time; the stream's clock begins at 1000.
    private func play(_ sender: inout TelephoneEventSender) -> [(at: Int, output: TelephoneEventSender.Output)] {
        var all: [(Int, TelephoneEventSender.Output)] = []
        while let time = sender.nextTimeout {
            let milliseconds = Int(time.uptimeNanoseconds / 1_000_000)
            sender.handleTimeout(now: time, timestamp: 1000 &+ UInt32(milliseconds * sender.clockRate / 1000))
            while let output = sender.poll() { all.append((milliseconds, output)) }
        }
        return all
    }

    private let start = NIODeadline.uptimeNanoseconds(0)

    @Test("A tone has a marked packet, updates, and its end three times")
    func tone() throws {
        var sender = TelephoneEventSender(clockRate: 8000)
        try sender.insert("5", duration: .milliseconds(120), now: self.start)
        let played = self.play(&sender)
        var packets: [(Int, TelephoneEventPayload, UInt32, Bool)] = []
        for case (let at, .packet(let payload, let timestamp, let marker)) in played {
            packets.append((at, payload, timestamp, marker))
        }
        #expect(packets.map(\.0) == [0, 50, 100, 120, 120, 120])
        #expect(packets.map(\.1.duration) == [400, 400, 800, 960, 960, 960])
        #expect(packets.map(\.1.isEnd) == [false, false, false, true, true, true])
        #expect(packets.map(\.3) == [true, false, false, false, false, false])
        #expect(packets.allSatisfy { $0.1.event == 5 && $0.2 == 1000 })
        #expect(played.last?.output == .toneChange("") && played.last?.at == 190)
    }

    @Test("Tones follow each other after the gap, a comma pauses, and durations keep to their limits")
    func sequence() throws {
        var sender = TelephoneEventSender(clockRate: 8000)
        try sender.insert("1,a#", duration: .milliseconds(1), gap: .milliseconds(1), now: self.start)
        #expect(sender.toneBuffer == "1,A#")
        let played = self.play(&sender)
        let changes = played.compactMap { at, output in
            if case .toneChange(let tone) = output { "\(tone)@\(at)" } else { nil }
        }
        #expect(changes == ["1@0", ",@70", "A@2070", "#@2140", "@2210"])
    }

    @Test("A tone that outlasts 16 bits goes on in segments, and is received as one")
    func segments() throws {
        var sender = TelephoneEventSender(clockRate: 48_000)
        try sender.insert("D", duration: .seconds(60), now: self.start)
        var receiver = TelephoneEventReceiver()
        var events: [TelephoneEventReceiver.Output] = []
        var timestamps: Set<UInt32> = []
        for (at, output) in self.play(&sender) {
            guard case .packet(let payload, let timestamp, let marker) = output else { continue }
            timestamps.insert(timestamp)
            let bytes = withUnsafeBytes(of: payload.word.bigEndian) { Array($0) }
            let now = NIODeadline.uptimeNanoseconds(UInt64(at) * 1_000_000)
            receiver.handleTimeout(now: now)
            receiver.receive(bytes, timestamp: timestamp, marker: marker, now: now)
            while let event = receiver.poll() { events.append(event) }
        }
        #expect(timestamps.count == 5)
        #expect(
            events == [
                .began(event: 15, volume: 10, timestamp: 1000), .ended(event: 15, duration: 288_000, timestamp: 1000),
            ]
        )
        #expect(receiver.counters.unfinished == 0 && receiver.counters.repeated == 2)
    }

    @Test("Other characters are refused, and nothing is changed by it")
    func refused() throws {
        var sender = TelephoneEventSender(clockRate: 8000)
        try sender.insert("12", now: self.start)
        #expect(throws: TelephoneEventSender.InsertionError.invalidCharacter("x")) {
            try sender.insert("3x", now: self.start)
        }
        #expect(sender.toneBuffer == "12")
        #expect(DTMFTone("e") == nil && DTMFTone("d") == .d && DTMFTone("*")?.rawValue == 10)
        #expect(DTMFTone.allCases.allSatisfy { DTMFTone($0.character) == $0 })
    }

    @Test("An end that is lost is made up for by time or by the next event")
    func lostEnd() {
        var receiver = TelephoneEventReceiver()
        let now = self.start
        receiver.receive(hex("01 0a 0190"), timestamp: 100, marker: true, now: now)
        receiver.receive(hex("02 0a 0190"), timestamp: 900, marker: true, now: now + .milliseconds(100))
        #expect(receiver.nextTimeout == now + .milliseconds(350))
        receiver.handleTimeout(now: now + .milliseconds(350))
        // A late packet of the first begins nothing.
        receiver.receive(hex("01 8a 0190"), timestamp: 100, marker: false, now: now + .milliseconds(400))
        var events: [TelephoneEventReceiver.Output] = []
        while let event = receiver.poll() { events.append(event) }
        #expect(
            events == [
                .began(event: 1, volume: 10, timestamp: 100), .ended(event: 1, duration: 400, timestamp: 100),
                .began(event: 2, volume: 10, timestamp: 900), .ended(event: 2, duration: 400, timestamp: 900),
            ]
        )
        #expect(receiver.counters.unfinished == 2 && receiver.counters.repeated == 1)
        receiver.receive(hex("01 8a 01"), timestamp: 5000, marker: true, now: now)
        #expect(receiver.counters.malformed == 1 && receiver.nextTimeout == nil)
    }
}
