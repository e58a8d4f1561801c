import CFuzzer
import FuzzInput
import NIOCore
import RTCBase
import RTCSignaling

/// Frames, compressed and not, for both roles, cut anywhere; offers and answers of compression; and messages there and back.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let choice = input.byte()
    switch choice & 3 {
    case 0: negotiate(String(decoding: input.rest(), as: UTF8.self))
    case 1: roundTrip(choice, &input)
    default: receive(choice, &input)
    }
    return 0
}

private let limit = 16 << 10
private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

private func negotiate(_ text: String) {
    var configuration = WebSocketDeflateConfiguration()
    configuration.serverMaxWindowBits = 15
    configuration.clientMaxWindowBits = 15
    if let agreement = WebSocketDeflateAgreement.accepting([text], configuration) {
        require((9...15).contains(agreement.serverMaxWindowBits), "a window that cannot be kept to")
        require((8...15).contains(agreement.clientMaxWindowBits), "a window that does not exist")
        // What a server answers, a client that allows everything takes.
        let answered = try? WebSocketDeflateAgreement.answered([agreement.response], configuration)
        require(answered != nil, "an answer that its own client does not take")
    }
    _ = try? WebSocketDeflateAgreement.answered([text], configuration)
}

private func agreement(_ choice: UInt8) -> WebSocketDeflateAgreement? {
    guard choice & 0x80 != 0 else { return nil }
    var agreement = WebSocketDeflateAgreement()
    agreement.serverNoContextTakeover = choice & 0x40 != 0
    agreement.clientNoContextTakeover = choice & 0x20 != 0
    agreement.serverMaxWindowBits = choice & 0x10 != 0 ? 9 : 15
    agreement.clientMaxWindowBits = choice & 0x10 != 0 ? 8 : 15
    return agreement
}

private func connection(_ role: WebSocketConnection.Role, _ choice: UInt8) -> WebSocketConnection {
    var configuration = WebSocketConfiguration()
    configuration.maximumFrameSize = limit
    configuration.maximumMessageSize = limit
    configuration.deflate = WebSocketDeflateConfiguration()
    configuration.deflate?.minimumSize = 0
    return WebSocketConnection(
        role: role,
        configuration: configuration,
        deflate: agreement(choice),
        random: .seeded(1),
        now: now
    )
}

/// Bytes of a stranger.
private func receive(_ choice: UInt8, _ input: inout FuzzInput) {
    var connection = connection(choice & 4 == 0 ? .server : .client, choice)
    while !input.isEmpty {
        connection.receive(ByteBuffer(bytes: input.run()), now: now)
        var closed = false
        while let output = connection.poll() {
            require(!closed, "something after the end")
            switch output {
            case .message(.text(let text)): require(text.utf8.count <= limit, "a message beyond its limit")
            case .message(.binary(let bytes)): require(bytes.readableBytes <= limit, "a message beyond its limit")
            case .transmit(let bytes): connection.didTransmit(bytes.readableBytes)
            case .closed: closed = true
            }
        }
    }
}

/// Messages from one role to the other.
private func roundTrip(_ choice: UInt8, _ input: inout FuzzInput) {
    var ends = [connection(.client, choice), connection(.server, choice)]
    while !input.isEmpty {
        let from = Int(input.byte() & 1)
        let payload = input.run()
        let message = WebSocketMessage.binary(ByteBuffer(bytes: payload))
        ends[from].send(message)
        var heard: [WebSocketMessage] = []
        while let output = ends[from].poll() {
            guard case .transmit(var bytes) = output else { continue }
            ends[from].didTransmit(bytes.readableBytes)
            while bytes.readableBytes > 0 {
                ends[1 - from].receive(bytes.readSlice(length: min(7, bytes.readableBytes)) ?? ByteBuffer(), now: now)
                while case .message(let message)? = ends[1 - from].poll() { heard.append(message) }
            }
        }
        require(payload.count > limit || heard == [message], "a message came as another")
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzWebSocket_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
