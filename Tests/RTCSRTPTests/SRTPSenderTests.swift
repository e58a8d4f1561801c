import NIOCore
import RTCBase
import Testing

@testable import RTCSRTP

@Suite("Sending and receiving")
struct SRTPSenderTests {
    static let everyKind: [(SRTPProfile, SRTPConfiguration.Engine)] = SRTPProfile.allCases.flatMap { profile in
        SRTPConfiguration.Engine.allCases.map { (profile, $0) }
    }

    @Test("What is protected grows by the stated overhead and comes back", arguments: everyKind)
    func roundTrip(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let direction = try Direction(profile, .with { $0.engine = engine })
        for size in [0, 1, 15, 16, 17, 1_200] {
            let packet = rtpPacket(UInt16(size), size: size)
            let protected = try direction.sender.rtp(packet)
            #expect(protected.count == packet.count + profile.rtpTagLength)
            #expect(Array(protected.prefix(12)) == Array(packet.prefix(12)))
            #expect(size < 15 || Array(protected[12..<12 + size]) != Array(packet[12...]))
            #expect(direction.receiver.rtp(protected) == .success(packet))
        }
        for size in [0, 4, 24, 1_000] {
            let packet = rtcpPacket(size: size)
            let protected = try direction.sender.rtcp(packet)
            #expect(protected.count == packet.count + profile.rtcpOverhead)
            #expect(direction.receiver.rtcp(protected) == .success(packet))
        }
        #expect(direction.sender.counters.rtpPackets == 6)
        #expect(direction.sender.counters.rtcpPackets == 4)
        #expect(direction.receiver.counters.rtpPackets == 6)
        #expect(direction.receiver.counters.rtcpPackets == 4)
        #expect(direction.receiver.counters.dropped == 0)
    }

    @Test("A session's ends understand each other, and not themselves")
    func session() throws {
        var random = RandomSource.seeded(11)
        for profile in SRTPProfile.allCases {
            let keys = [SRTPMasterKey.random(profile, &random), .random(profile, &random)]
            let client = try SRTPSession(profile: profile, sending: keys[0], receiving: keys[1])
            let server = try SRTPSession(profile: profile, sending: keys[1], receiving: keys[0])
            let packet = rtpPacket(1)
            #expect(server.receiver.rtp(try client.sender.rtp(packet)) == .success(packet))
            #expect(client.receiver.rtp(try server.sender.rtp(packet)) == .success(packet))
            #expect(client.receiver.rtp(try client.sender.rtp(rtpPacket(2))) == .failure(.authenticationFailed))
        }
    }

    @Test("From another buffer, in parts and appended it is the same packet", arguments: everyKind)
    func forwarding(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let configuration = SRTPConfiguration.with { $0.engine = engine }
        let senders = try (0..<4).map { _ in try Direction(profile, configuration).sender }
        let header = hex("920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200")
        let payload = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
        let packet = header + payload
        let expected = try senders[0].rtp(packet)
        var apart = [UInt8](repeating: 0, count: expected.count)
        _ = try packet.withUnsafeBytes { source in
            try apart.withUnsafeMutableBytes { try senders[1].protectRTP(source, into: $0) }
        }
        #expect(apart == expected)
        var parts = [UInt8](repeating: 0, count: expected.count)
        var buffer = ByteBuffer(string: "before")
        try header.withUnsafeBytes { header in
            try payload.withUnsafeBytes { payload in
                _ = try parts.withUnsafeMutableBytes {
                    try senders[2].protectRTP(header: header, payload: payload, into: $0)
                }
                try senders[3].protectRTP(header: header, payload: payload, appendingTo: &buffer)
            }
        }
        #expect(parts == expected)
        #expect(buffer.readString(length: 6) == "before")
        #expect(Array(buffer.readableBytesView) == expected)
        let control = rtcpPacket()
        let expectedControl = try senders[0].rtcp(control)
        var apartControl = [UInt8](repeating: 0, count: expectedControl.count)
        _ = try control.withUnsafeBytes { source in
            try apartControl.withUnsafeMutableBytes { try senders[1].protectRTCP(source, into: $0) }
        }
        #expect(apartControl == expectedControl)
    }

    @Test("Buffers are protected where they stand, and shared ones are not changed")
    func buffers() throws {
        let direction = try Direction(.aeadAES128GCM)
        let packet = rtpPacket(7, size: 100)
        var buffer = ByteBuffer(bytes: [1, 2, 3] + packet)
        buffer.moveReaderIndex(forwardBy: 3)
        let shared = buffer
        try direction.sender.protectRTP(&buffer)
        #expect(buffer.readableBytes == packet.count + 16)
        #expect(Array(shared.readableBytesView) == packet)
        #expect(direction.receiver.unprotectRTP(&buffer) == nil)
        #expect(Array(buffer.readableBytesView) == packet)
        #expect(direction.receiver.unprotectRTP(&buffer) == .replayed)
        #expect(buffer.readableBytes == packet.count)
        var control = ByteBuffer(bytes: rtcpPacket())
        try direction.sender.protectRTCP(&control)
        #expect(control.readableBytes == rtcpPacket().count + 20)
        #expect(direction.receiver.unprotectRTCP(&control) == nil)
        #expect(Array(control.readableBytesView) == rtcpPacket())
    }

    @Test("The caller's mistakes are named", arguments: SRTPConfiguration.Engine.allCases)
    func mistakes(engine: SRTPConfiguration.Engine) throws {
        let sender = try Direction(.aeadAES128GCM, .with { $0.engine = engine }).sender
        let packet = rtpPacket(1)
        var exact = packet + [UInt8](repeating: 0, count: 15)
        exact.withUnsafeMutableBytes { buffer in
            for length in [packet.count, buffer.count + 1, -1] {
                #expect(throws: SRTPProtectError.bufferTooSmall) {
                    try sender.protectRTP(in: buffer, length: length)
                }
            }
        }
        #expect(Array(exact.prefix(packet.count)) == packet)
        var malformed: [[UInt8]] = [[], [0x80], Array(packet.prefix(11)), [0x40] + packet.dropFirst()]
        malformed.append([0x8F] + packet.dropFirst())
        malformed.append([0x90] + packet.dropFirst().prefix(11) + [0xBE, 0xDE, 0, 9, 1, 2, 3, 4])
        for packet in malformed {
            #expect(throws: SRTPProtectError.malformed) { try sender.rtp(packet) }
        }
        #expect(throws: SRTPProtectError.malformed) { try sender.rtcp(Array(rtcpPacket().prefix(7))) }
        #expect(sender.counters.rtpPackets == 0)
        #expect(sender.counters.refused == 10)
    }

    @Test("A header given apart must be a header and nothing more")
    func partsMistakes() throws {
        let sender = try Direction(.aeadAES128GCM).sender
        let packet = rtpPacket(1)
        var room = [UInt8](repeating: 0, count: 200)
        try room.withUnsafeMutableBytes { room in
            try packet.withUnsafeBytes { packet in
                let empty = UnsafeRawBufferPointer(start: nil, count: 0)
                #expect(throws: SRTPProtectError.malformed) {
                    try sender.protectRTP(header: packet, payload: empty, into: room)
                }
                let header = UnsafeRawBufferPointer(rebasing: packet[..<12])
                let length = try sender.protectRTP(header: header, payload: empty, into: room)
                #expect(length == 28)
            }
        }
    }

    @Test("Keys of a wrong length and settings out of range are refused")
    func setUp() {
        for profile in SRTPProfile.allCases {
            let good = SRTPMasterKey.fixed(profile)
            for bad in [
                SRTPMasterKey(key: good.key + [0], salt: good.salt),
                SRTPMasterKey(key: good.key, salt: Array(good.salt.dropLast())), SRTPMasterKey(key: [], salt: []),
            ] {
                #expect(throws: SRTPError.self) { try SRTPSender(profile: profile, masterKey: bad) }
                #expect(throws: SRTPError.self) { try SRTPReceiver(profile: profile, masterKey: bad) }
            }
        }
        let changes: [(inout SRTPConfiguration) -> Void] = [
            { $0.replayWindow = 63 }, { $0.replayWindow = 32_769 }, { $0.maximumReceivingStreams = 0 },
            { $0.maximumSendingStreams = 0 },
            {
                $0.engine = .libsrtp
                $0.cryptex = .enabled
            },
        ]
        for change in changes {
            #expect { try Direction(.aeadAES128GCM, .with(change)) } throws: {
                ($0 as? SRTPError)?.code == .invalidConfiguration
            }
        }
    }

    @Test("A key does not print itself")
    func description() {
        #expect("\(SRTPMasterKey.fixed(.aeadAES128GCM))" == "SRTPMasterKey(16 + 12 bytes)")
    }
}
