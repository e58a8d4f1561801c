import RTCBase
import RTCSRTP

/// The bytes that hexadecimal digits say; everything else between them is skipped.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

extension SRTPSender {
    /// The protected RTP packet.
    func rtp(_ packet: [UInt8]) throws(SRTPProtectError) -> [UInt8] {
        try protect(packet, room: self.rtpOverhead) { bytes, length throws(SRTPProtectError) in
            try self.protectRTP(in: bytes, length: length)
        }
    }

    /// The protected RTCP packet.
    func rtcp(_ packet: [UInt8]) throws(SRTPProtectError) -> [UInt8] {
        try protect(packet, room: self.rtcpOverhead) { bytes, length throws(SRTPProtectError) in
            try self.protectRTCP(in: bytes, length: length)
        }
    }
}

private func protect(
    _ packet: [UInt8],
    room: Int,
    _ body: (UnsafeMutableRawBufferPointer, Int) throws(SRTPProtectError) -> Int
) throws(SRTPProtectError) -> [UInt8] {
    var bytes = packet + [UInt8](repeating: 0xEE, count: room)
    let result = bytes.withUnsafeMutableBytes { buffer in
        Result { () throws(SRTPProtectError) in try body(buffer, packet.count) }
    }
    return Array(bytes.prefix(try result.get()))
}

extension SRTPReceiver {
    /// The RTP packet, or why there is none.
    func rtp(_ packet: [UInt8]) -> Result<[UInt8], SRTPUnprotectFailure> {
        var bytes = packet
        return bytes.withUnsafeMutableBytes { self.unprotectRTP($0) }.bytes(of: bytes)
    }

    /// The RTCP packet, or why there is none.
    func rtcp(_ packet: [UInt8]) -> Result<[UInt8], SRTPUnprotectFailure> {
        var bytes = packet
        return bytes.withUnsafeMutableBytes { self.unprotectRTCP($0) }.bytes(of: bytes)
    }
}

extension SRTPUnprotectResult {
    fileprivate func bytes(of buffer: [UInt8]) -> Result<[UInt8], SRTPUnprotectFailure> {
        switch self {
        case .packet(let length): return .success(Array(buffer.prefix(length)))
        case .failure(let failure): return .failure(failure)
        }
    }
}

/// An RTP packet with a payload of `size` bytes.
func rtpPacket(_ sequenceNumber: UInt16, ssrc: UInt32 = 0xCAFE_BABE, size: Int = 20, fill: UInt8 = 0xAB) -> [UInt8] {
    [0x80, 0x60, UInt8(sequenceNumber >> 8), UInt8(sequenceNumber & 0xFF), 1, 2, 3, 4] + bigEndian(ssrc)
        + [UInt8](repeating: fill, count: size)
}

/// A receiver report of `ssrc`, with `size` bytes behind its header.
func rtcpPacket(ssrc: UInt32 = 0xCAFE_BABE, size: Int = 24) -> [UInt8] {
    [0x81, 201, UInt8((size / 4 + 1) >> 8), UInt8((size / 4 + 1) & 0xFF)] + bigEndian(ssrc)
        + (0..<size).map { UInt8(truncatingIfNeeded: $0) }
}

func bigEndian(_ integer: UInt32) -> [UInt8] { (0..<4).map { UInt8(integer >> (24 - 8 * $0) & 0xFF) } }

extension SRTPMasterKey {
    /// A random key of the profile's lengths.
    static func random(_ profile: SRTPProfile, _ random: inout RandomSource) -> SRTPMasterKey {
        SRTPMasterKey(key: random.bytes(count: profile.keyLength), salt: random.bytes(count: profile.saltLength))
    }

    /// The same key each time.
    static func fixed(_ profile: SRTPProfile) -> SRTPMasterKey {
        SRTPMasterKey(
            key: (0..<profile.keyLength).map { UInt8($0) },
            salt: (0..<profile.saltLength).map { UInt8(0xA0 + $0) }
        )
    }
}

extension SRTPConfiguration {
    /// A configuration with changes.
    static func with(_ change: (inout SRTPConfiguration) -> Void) -> SRTPConfiguration {
        var configuration = SRTPConfiguration()
        change(&configuration)
        return configuration
    }
}

/// A sender and the receiver of what it sends.
struct Direction {
    let sender: SRTPSender
    let receiver: SRTPReceiver

    init(
        _ profile: SRTPProfile,
        key: SRTPMasterKey? = nil,
        _ configuration: SRTPConfiguration = SRTPConfiguration()
    ) throws {
        let key = key ?? .fixed(profile)
        self.sender = try SRTPSender(profile: profile, masterKey: key, configuration: configuration)
        self.receiver = try SRTPReceiver(profile: profile, masterKey: key, configuration: configuration)
    }
}
