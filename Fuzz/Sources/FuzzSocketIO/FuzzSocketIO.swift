import CFuzzer
import FuzzInput
import NIOCore
import RTCBase

@testable import RTCSignaling

/// Payloads of Engine.IO, packets of Socket.IO, and a broker whose clients do anything.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
    payload(ByteBuffer(bytes: bytes))
    packet(bytes)
    session(FuzzInput(start, count))
    return 0
}

/// What was read is written and read again as the same.
private func payload(_ bytes: ByteBuffer) {
    for packets in [EngineIOPayload.decode(text: bytes), EngineIOPayload.decode(binary: bytes)] {
        guard let packets else { continue }
        for supportsBinary in [true, false] {
            switch EngineIOPayload.encode(packets, supportsBinary: supportsBinary) {
            case .text(let text):
                require(EngineIOPayload.decode(text: ByteBuffer(string: text)) == packets, "another payload")
            case .binary(let written):
                require(EngineIOPayload.decode(binary: written) == packets, "another payload of bytes")
            }
        }
    }
}

private func packet(_ bytes: [UInt8]) {
    let limits = SocketIOConfiguration()
    guard let text = String(validating: bytes, as: UTF8.self),
        let (packet, attachments) = SocketIOPacket.parse(text, limits: limits), attachments == 0, packet.isWritten
    else { return }
    guard case .text(let written)? = packet.messages.first else { return }
    let again = SocketIOPacket.parse(written, limits: limits)
    // A namespace's name may not fit any more when what was missing is written.
    guard packet.namespace.utf8.count + packet.query.utf8.count < limits.maximumNamespaceLength else { return }
    require(again?.packet == packet, "another packet: \(written)")
}

extension SocketIOPacket {
    /// Whether all of it can be written: numbers beyond what JSON has become null, and a number alone looks like an ``id``.
    fileprivate var isWritten: Bool {
        guard let data = self.data else { return true }
        return data.number == nil && Self.isFinite(data)
    }

    private static func isFinite(_ value: SocketIOValue) -> Bool {
        switch value {
        case .number(let number): return number.isFinite
        case .array(let elements): return elements.allSatisfy(self.isFinite)
        case .object(let members): return members.values.allSatisfy(self.isFinite)
        case .null, .bool, .string, .binary: return true
        }
    }
}

/// A broker, with what it has open.
private struct Bench {
    var broker: SocketIOBroker
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var sessions: [String] = []
    var webSockets: [EngineIOWebSocketID] = []
    var exchanges: [ExchangeID] = []
    var sockets: [SocketIOSocketID] = []
    var questions: [SocketIOQuestion] = []
    private var count: UInt64 = 0

    init() {
        var configuration = SocketIOConfiguration()
        configuration.namespaces = ["/", "/a", "/b"]
        configuration.guardedNamespaces = ["/b"]
        configuration.engine.maximumUnsentBytes = 1_024
        configuration.maximumRooms = 3
        configuration.maximumAcknowledgements = 3
        self.broker = SocketIOBroker(configuration: configuration, random: .seeded(1))
    }

    mutating func request(_ method: String, _ query: String, type: String = "text/plain", _ body: [UInt8] = []) {
        self.count += 1
        let exchange = ExchangeID(rawValue: self.count)
        self.exchanges.append(exchange)
        let request = SignalingRequest(
            method: method,
            target: "/socket.io/?" + query,
            headers: ["content-type": type],
            body: ByteBuffer(bytes: body)
        )
        self.broker.receive(request, exchange: exchange, now: self.now)
    }

    mutating func drain() {
        while let output = self.broker.poll() {
            switch output {
            case .respond(let exchange, _): self.exchanges.removeAll { $0 == exchange }
            case .close(let webSocket): self.webSockets.removeAll { $0 == webSocket }
            case .ask(let question): self.questions.append(question)
            case .connected(let question):
                self.sockets.append(question.id)
                self.sessions.append(question.id.session.text)
            case .disconnected(let id, _): self.sockets.removeAll { $0 == id }
            case .transmit, .event, .acknowledged, .unacknowledged: break
            }
        }
    }
}

private func session(_ input: FuzzInput) {
    var input = input
    var bench = Bench()
    var steps = 0
    while !input.isEmpty, steps < 200 {
        steps += 1
        step(&input, &bench)
        bench.drain()
    }
    for webSocket in bench.webSockets { bench.broker.webSocketEnded(webSocket, now: bench.now) }
    for _ in 0..<3 {
        bench.now = bench.now + .seconds(60)
        bench.broker.handleTimeout(now: bench.now)
        bench.drain()
    }
    require(bench.broker.sessionCount == 0 && bench.broker.socketCount == 0, "sessions are left")
    require(bench.broker.roomCount == 0 && bench.broker.nextTimeout == nil, "rooms or deadlines are left")
}

private func step(_ input: inout FuzzInput, _ bench: inout Bench) {
    let kind = input.byte() & 15
    let choice = Int(input.byte())
    let session = bench.sessions.isEmpty ? "" : bench.sessions[choice % bench.sessions.count]
    let query = "EIO=3&transport=polling&sid=" + session
    switch kind {
    case 0: bench.request("GET", "EIO=3&transport=polling" + (choice & 1 == 0 ? "" : "&j=1"))
    case 1, 2:
        let request = SignalingRequest(
            method: "GET",
            target: "/?EIO=3&transport=websocket" + (choice & 1 == 0 ? "" : "&sid=" + session)
        )
        if let webSocket = bench.broker.openWebSocket(request, now: bench.now) { bench.webSockets.append(webSocket) }
    case 3: bench.request("GET", query + (choice & 1 == 0 ? "" : "&b64=1"))
    case 4: bench.request("POST", query + (choice & 128 == 0 ? "" : "&j=1"), Array(input.run()))
    case 5: bench.request("POST", query, type: "application/octet-stream", Array(input.run()))
    case 6, 7, 8:
        guard !bench.webSockets.isEmpty else { return }
        let text = String(decoding: Array(input.run()), as: UTF8.self)
        bench.broker.receive(.text(text), from: bench.webSockets[choice % bench.webSockets.count], now: bench.now)
    case 9:
        guard !bench.webSockets.isEmpty else { return }
        let bytes = ByteBuffer(bytes: [4] + Array(input.run()))
        bench.broker.receive(.binary(bytes), from: bench.webSockets[choice % bench.webSockets.count], now: bench.now)
    case 10:
        bench.now = bench.now + .milliseconds(Int64(input.uint16()))
        bench.broker.handleTimeout(now: bench.now)
    case 11: if let exchange = bench.exchanges.first { bench.broker.exchangeEnded(exchange, now: bench.now) }
    case 12:
        guard let webSocket = bench.webSockets.popLast() else { return }
        bench.broker.webSocketEnded(webSocket, now: bench.now)
    case 13:
        guard let question = bench.questions.popLast() else { return }
        bench.broker.answer(question, refusal: choice & 1 == 0 ? nil : "no", now: bench.now)
    default: act(choice, &bench)
    }
}

/// What the owner does.
private func act(_ choice: Int, _ bench: inout Bench) {
    guard !bench.sockets.isEmpty else { return }
    let socket = bench.sockets[choice % bench.sockets.count]
    switch choice >> 4 {
    case 0, 1, 2: bench.broker.join(String(choice & 7), socket)
    case 3: bench.broker.leave(String(choice & 7), socket)
    case 4, 5: bench.broker.emit("a", [.binary(ByteBuffer(bytes: [1, 2]))], to: SocketIOAudience(), now: bench.now)
    case 6, 7:
        let audience = SocketIOAudience(rooms: [String(choice & 7)], excluding: socket)
        bench.broker.emit("a", ["b"], to: audience, now: bench.now)
    case 8, 9, 10:
        bench.broker.emit("a", [], to: socket, acknowledgedBy: bench.now + .seconds(1), now: bench.now)
    case 11: bench.broker.acknowledge(1, [], to: socket, now: bench.now)
    case 12: bench.broker.disconnect(socket, closesSession: choice & 1 == 0, now: bench.now)
    default: bench.broker.emit("a", [.string(String(repeating: "x", count: 300))], to: socket, now: bench.now)
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSocketIO_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
