import CFuzzer
import FuzzInput
import RTCSRTP

/// SRTP and SRTCP: whatever comes is refused, what was protected comes back, and libsrtp says the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    guard var ends = Ends(&input) else { return 0 }
    var steps = 0
    while !input.isEmpty, steps < 100 {
        steps += 1
        switch input.byte() & 3 {
        case 0: ends.passRTP(input.run())
        case 1: ends.passRTCP(input.run())
        case 2: ends.forge(input.run())
        default: ends.damage(at: Int(input.uint16()), by: input.byte(), cut: Int(input.byte()))
        }
    }
    return 0
}

/// A sender, its receiver, and libsrtp beside them where it can follow.
private struct Ends {
    private let profile: SRTPProfile
    private let hidesHeader: Bool
    private let sender: SRTPSender
    private let receiver: SRTPReceiver
    private let oracle: SRTPReceiver?
    private var last: [UInt8] = []

    init?(_ input: inout FuzzInput) {
        let choice = input.byte()
        self.profile = SRTPProfile.allCases[Int(choice & 3)]
        let key = SRTPMasterKey(
            key: (0..<self.profile.keyLength).map { UInt8($0) },
            salt: (0..<self.profile.saltLength).map { UInt8($0) }
        )
        var configuration = SRTPConfiguration()
        configuration.cryptex = [.disabled, .enabled, .required, .disabled][Int(choice >> 2 & 3)]
        configuration.replayWindow = 64 << Int(choice >> 4 & 3)
        configuration.maximumReceivingStreams = 4
        configuration.maximumSendingStreams = 4
        self.hidesHeader = configuration.cryptex != .disabled
        guard
            let sender = try? SRTPSender(profile: self.profile, masterKey: key, configuration: configuration),
            let receiver = try? SRTPReceiver(profile: self.profile, masterKey: key, configuration: configuration)
        else { return nil }
        self.sender = sender
        self.receiver = receiver
        configuration.engine = .libsrtp
        self.oracle = try? SRTPReceiver(profile: self.profile, masterKey: key, configuration: configuration)
    }

    mutating func passRTP(_ packet: [UInt8]) {
        guard
            let protected = protect(
                packet,
                room: self.sender.rtpOverhead,
                { try? self.sender.protectRTP(in: $0, length: $1) }
            )
        else { return }
        self.last = protected
        let received = unprotect(protected) { self.receiver.unprotectRTP($0) }
        switch received {
        case .success(let bytes):
            require(self.hidesHeader || bytes == packet, "another RTP packet")
            require(unprotect(protected) { self.receiver.unprotectRTP($0) }.isFailure, "a packet accepted twice")
        case .failure(let failure):
            require([.replayed, .tooOld, .authenticationFailed, .tooManyStreams].contains(failure), "\(failure)")
        }
        guard let oracle = self.oracle else { return }
        let theirs = unprotect(protected) { oracle.unprotectRTP($0) }
        require(theirs == received, "\(received) and \(theirs)")
    }

    mutating func passRTCP(_ packet: [UInt8]) {
        guard
            let protected = protect(
                packet,
                room: self.sender.rtcpOverhead,
                { try? self.sender.protectRTCP(in: $0, length: $1) }
            )
        else { return }
        self.last = protected
        let received = unprotect(protected) { self.receiver.unprotectRTCP($0) }
        require(received == .success(packet), "another RTCP packet: \(received)")
        require(unprotect(protected) { self.receiver.unprotectRTCP($0) }.isFailure, "a packet accepted twice")
        guard let oracle = self.oracle else { return }
        let theirs = unprotect(protected) { oracle.unprotectRTCP($0) }
        require(theirs == received, "\(received) and \(theirs)")
    }

    func forge(_ packet: [UInt8]) {
        // A tag of 32 bits could be met by chance in the end.
        let mayPass = self.profile == .aes128CMSHA1_32
        require(unprotect(packet) { self.receiver.unprotectRTP($0) }.isFailure || mayPass, "forged RTP")
        require(unprotect(packet) { self.receiver.unprotectRTCP($0) }.isFailure, "forged RTCP")
    }

    func damage(at position: Int, by mask: UInt8, cut: Int) {
        guard !self.last.isEmpty else { return }
        var packet = self.last
        packet[position % packet.count] ^= mask
        packet.removeLast(min(cut, packet.count))
        self.forge(packet)
    }
}

extension Result {
    fileprivate var isFailure: Bool {
        if case .failure = self { return true }
        return false
    }
}

/// Works on memory of exactly the size that is given, so that the address sanitizer sees a byte too far.
private func withExactBytes<Value>(
    _ bytes: [UInt8],
    room: Int,
    _ body: (UnsafeMutableRawBufferPointer) -> Value
) -> Value {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + room, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    return body(buffer)
}

private func protect(
    _ packet: [UInt8],
    room: Int,
    _ body: (UnsafeMutableRawBufferPointer, Int) -> Int?
) -> [UInt8]? {
    withExactBytes(packet, room: room) { buffer in body(buffer, packet.count).map { Array(buffer[..<$0]) } }
}

private func unprotect(
    _ packet: [UInt8],
    _ body: (UnsafeMutableRawBufferPointer) -> SRTPUnprotectResult
) -> Result<[UInt8], SRTPUnprotectFailure> {
    withExactBytes(packet, room: 0) { buffer in
        switch body(buffer) {
        case .packet(let length): return .success(Array(buffer[..<length]))
        case .failure(let failure): return .failure(failure)
        }
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSRTP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
