import NIOCore
import RTCSRTP

/// One engine with one profile, and how long its packets took so far.
struct SRTPCase {
    /// How many packets are measured at a time: few enough to stay in the cache, as on a connection.
    private static let packetsPerRound = 256

    let profile: SRTPProfile
    let engine: SRTPConfiguration.Engine
    private let size: Int
    private let sender: SRTPSender
    private let forwarder: SRTPSender
    private let receiver: SRTPReceiver
    private let payload: [UInt8]
    private var packets: [UInt8]
    private var sequenceNumber: UInt16 = 0
    private var protect = Samples()
    private var unprotect = Samples()
    private var forward = Samples()

    init(profile: SRTPProfile, engine: SRTPConfiguration.Engine, size: Int) throws {
        self.profile = profile
        self.engine = engine
        self.size = size
        let key = SRTPMasterKey(
            key: [UInt8](repeating: 1, count: profile.keyLength),
            salt: [UInt8](repeating: 2, count: profile.saltLength)
        )
        var configuration = SRTPConfiguration()
        configuration.engine = engine
        self.sender = try SRTPSender(profile: profile, masterKey: key, configuration: configuration)
        self.forwarder = try SRTPSender(profile: profile, masterKey: key, configuration: configuration)
        self.receiver = try SRTPReceiver(profile: profile, masterKey: key, configuration: configuration)
        self.payload = [UInt8](repeating: 0xAB, count: size - 12)
        self.packets = [UInt8](repeating: 0, count: Self.packetsPerRound * (size + profile.rtpTagLength))
    }

    /// The engine and the profile.
    var name: String { "\(self.profile)_\(self.engine)" }
    /// The median of the rounds, for each packet protected in place.
    var protectNanoseconds: Double { self.protect.percentiles(0.5)[0] }
    /// The median of the rounds, for each packet unprotected in place.
    var unprotectNanoseconds: Double { self.unprotect.percentiles(0.5)[0] }
    /// The median of the rounds, for each packet protected from a header and a shared payload into a batch.
    var forwardNanoseconds: Double { self.forward.percentiles(0.5)[0] }

    /// Protects, unprotects and forwards some packets.
    mutating func measureRound() throws {
        let first = self.sequenceNumber
        self.forward.append(try self.measure { try $0.forward(number: $1, at: $2) })
        self.sequenceNumber = first
        self.prepare()
        self.protect.append(
            try self.measure { me, _, packet in
                _ = try me.sender.protectRTP(in: packet, length: me.size)
            }
        )
        self.unprotect.append(
            try self.measure { me, _, packet in
                guard case .packet = me.receiver.unprotectRTP(packet) else {
                    throw BenchFailure("a packet was refused")
                }
            }
        )
        self.sequenceNumber = first &+ UInt16(Self.packetsPerRound)
    }

    /// The memory of a session that met one stream each way.
    ///
    /// - Parameter sessions: Keeps the sessions, so that the next measurement does not get their memory.
    func measureSessionBytes(keeping sessions: inout [SRTPSession]) throws -> Int {
        let count = 1_000
        let key = SRTPMasterKey(
            key: [UInt8](repeating: 1, count: self.profile.keyLength),
            salt: [UInt8](repeating: 2, count: self.profile.saltLength)
        )
        var configuration = SRTPConfiguration()
        configuration.engine = self.engine
        sessions.reserveCapacity(sessions.count + count)
        let before = ProcessUsage.residentBytes
        var packet = ByteBuffer(bytes: self.header(0))
        for _ in 0..<count {
            let session = try SRTPSession(
                profile: self.profile,
                sending: key,
                receiving: key,
                configuration: configuration
            )
            try session.sender.protectRTP(&packet)
            guard session.receiver.unprotectRTP(&packet) == nil else { throw BenchFailure("a packet was refused") }
            sessions.append(session)
        }
        return max(0, ProcessUsage.residentBytes - before) / count
    }

    private mutating func prepare() {
        let stride = self.size + self.profile.rtpTagLength
        for number in 0..<Self.packetsPerRound {
            self.packets.replaceSubrange(number * stride..<number * stride + 12, with: self.header(number))
        }
    }

    private func header(_ number: Int) -> [UInt8] {
        let sequence = self.sequenceNumber &+ UInt16(number)
        return [0x80, 96, UInt8(sequence >> 8), UInt8(sequence & 0xFF), 0, 0, 0, 1, 0, 0, 0, 2]
    }

    private func forward(number: Int, at packet: UnsafeMutableRawBufferPointer) throws {
        let sequence = self.sequenceNumber &+ UInt16(number)
        try withUnsafeTemporaryAllocation(byteCount: 12, alignment: 4) { header in
            header.storeBytes(of: UInt32(0x8060_0000 | UInt32(sequence)).bigEndian, as: UInt32.self)
            header.storeBytes(of: UInt32(1).bigEndian, toByteOffset: 4, as: UInt32.self)
            header.storeBytes(of: UInt32(2).bigEndian, toByteOffset: 8, as: UInt32.self)
            try self.payload.withUnsafeBytes {
                _ = try self.forwarder.protectRTP(header: UnsafeRawBufferPointer(header), payload: $0, into: packet)
            }
        }
    }

    /// The nanoseconds `body` takes for each packet.
    private mutating func measure(
        _ body: (SRTPCase, Int, UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> Double {
        var packets: [UInt8] = []
        swap(&packets, &self.packets)
        defer { swap(&packets, &self.packets) }
        let stride = self.size + self.profile.rtpTagLength
        let start = NIODeadline.now()
        try packets.withUnsafeMutableBytes { bytes in
            for number in 0..<Self.packetsPerRound {
                let range = number * stride..<(number + 1) * stride
                try body(self, number, UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
            }
        }
        return Double((NIODeadline.now() - start).nanoseconds) / Double(Self.packetsPerRound)
    }
}
