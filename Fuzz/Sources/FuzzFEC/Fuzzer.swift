import CFuzzer
import FuzzInput
import NIOCore

@testable import RTCRTP

private let ssrc = SSRC(0x1122_3344)
private let map = HeaderExtensionMap([.absoluteSendTime: 3, .transportSequenceNumber: 5])

/// Media and repair packets, lost, damaged and made up: what is found is a packet of the stream, and as long as nothing was
/// damaged or made up it is one that was sent.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    var path = Path(&input)
    var steps = 0
    while !input.isEmpty, steps < 400 {
        steps += 1
        switch input.byte() & 7 {
        case 0: path.makeUpRepair(input.run())
        case 1: path.makeUpMedia(input.run())
        case 2: path.damage(at: Int(input.byte()), by: input.byte(), cut: Int(input.byte()))
        case 3: path.jump(by: input.uint16())
        default: path.send(flags: input.byte(), payload: input.run())
        }
        path.check()
    }
    return 0
}

private struct Path {
    private let form: FlexFECForm
    private var sender: FlexFECSender
    private var receiver: FlexFECReceiver
    private var sequenceNumber: UInt16
    private var sent: [UInt16: [UInt8]] = [:]
    private var lastRepair: [UInt8] = []
    private var isHonest = true

    init(_ input: inout FuzzInput) {
        let flags = input.byte()
        self.form = FlexFECForm.allCases[Int(flags & 1)]
        var limits = FlexFECReceiver.Limits()
        limits.mediaPackets = 128
        limits.repairPackets = 1 + Int(flags >> 4)
        limits.recoveredPackets = 8
        limits.packetSize = 1024
        self.sender = FlexFECSender(form: self.form, protecting: ssrc, extensionMap: map, maximumPacketSize: 1024)
        self.receiver = FlexFECReceiver(form: self.form, protecting: ssrc, extensionMap: map, limits: limits)
        self.sender.pattern = FlexFECPattern.allCases[Int(flags >> 1 & 3) % 3]
        self.sender.level = Double(input.byte()) / 255
        self.sequenceNumber = input.uint16()
    }

    mutating func send(flags: UInt8, payload: [UInt8]) {
        let payload = payload.prefix(900) + []
        let header = RTPHeader(
            marker: flags & 1 != 0,
            payloadType: PayloadType(lowBitsOf: 96),
            sequenceNumber: self.sequenceNumber,
            timestamp: UInt32(flags) << 24,
            ssrc: ssrc
        )
        var buffer = ByteBuffer()
        buffer.writeRTPPacket(header, maximumSize: 1024, paddingSize: Int(flags >> 6)) {
            if flags & 8 != 0 { $0.appendExtension(id: 5, bytes: [0, 0].span.bytes) }
            $0.appendPayload(payload.span.bytes)
        }
        self.sent[self.sequenceNumber] = Array(buffer.readableBytesView)
        self.sequenceNumber &+= 1
        if flags & 2 == 0 { self.receiver.receiveMedia(buffer.readableBytesSpan) }
        var repairs: [[UInt8]] = []
        self.sender.append(buffer.readableBytesSpan, endsFrame: header.marker) {
            repairs.append($0.withUnsafeBytes(Array.init))
        }
        for repair in repairs {
            require(repair.count <= 1012 + FlexFECSender.overhead(form: self.form), "too long a repair packet")
            if flags & 4 == 0 { self.receiver.receiveRepair(payload: repair.span.bytes) }
            self.lastRepair = repair
        }
    }

    mutating func makeUpRepair(_ bytes: [UInt8]) {
        self.isHonest = false
        self.receiver.receiveRepair(payload: bytes.span.bytes)
        guard let view = RTPPacketView(bytes.span.bytes) else { return }
        self.receiver.receiveRepair(bytes.span.bytes, view)
    }

    mutating func makeUpMedia(_ bytes: [UInt8]) {
        self.isHonest = false
        self.receiver.receiveMedia(bytes.span.bytes)
        let bytes = [0x80, 0x60] + bytes.prefix(6) + [0x11, 0x22, 0x33, 0x44] + bytes.dropFirst(6)
        self.receiver.receiveMedia(bytes.span.bytes)
    }

    mutating func damage(at offset: Int, by bits: UInt8, cut: Int) {
        self.isHonest = false
        guard offset < self.lastRepair.count else { return }
        self.lastRepair[offset] ^= bits
        if cut > 0 { self.lastRepair.removeLast(min(cut, self.lastRepair.count)) }
        let repair = self.lastRepair
        self.receiver.receiveRepair(payload: repair.span.bytes)
    }

    /// Numbers that come again belong to other packets, so what was sent is no measure any more.
    mutating func jump(by distance: UInt16) {
        self.isHonest = false
        self.sequenceNumber &+= distance
    }

    mutating func check() {
        while let packet = self.receiver.poll() {
            guard let view = RTPPacketView(packet.readableBytesSpan) else {
                return require(false, "found what is no packet")
            }
            require(view.header.ssrc == ssrc, "a packet of another stream")
            require(packet.readableBytes <= 1024, "too large a packet")
            guard self.isHonest else { continue }
            require(self.sent[view.header.sequenceNumber] == Array(packet.readableBytesView), "another packet")
        }
        let counters = self.receiver.counters
        require(counters.fecPacketsDiscarded <= counters.fecPacketsReceived, "more discarded than received")
        require(self.receiver.storageSize <= (128 + 16) * 1024, "too much memory")
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzFEC_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
