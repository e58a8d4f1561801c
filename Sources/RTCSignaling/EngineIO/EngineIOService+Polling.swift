import NIOCore

// Sessions over requests.

extension EngineIOService {
    /// Takes a request that asks for packets.
    mutating func receivePoll(
        _ request: SignalingRequest,
        of id: EngineIOSessionID,
        _ exchange: ExchangeID,
        _ now: NIODeadline
    ) {
        guard let session = self.sessions[id] else { return }
        guard session.poll == nil else {
            // Two at once: nobody could say which is the client's.
            self.respond(exchange, Self.dressed(SignalingResponse(500), request))
            return self.end(id, .transportError, now)
        }
        self.polls[exchange] = id
        self.sessions[id]?.poll = EngineIOSession.Poll(exchange: exchange, request: request)
        self.sessions[id]?.supportsBinary = !Self.wantsBase64(request)
        if session.probe?.isAnswered == true, session.waiting.isEmpty { self.scheduleRelease(of: id, now) }
        self.flush(id)
    }

    /// Takes a request that brings packets.
    mutating func receivePackets(
        _ request: SignalingRequest,
        of id: EngineIOSessionID,
        _ exchange: ExchangeID,
        _ now: NIODeadline
    ) {
        guard self.sessions[id]?.endDeadline == nil else {
            return self.respond(exchange, EngineIORefusal.unknownSession.response(to: request))
        }
        guard request.body.readableBytes <= self.configuration.maximumBodySize else {
            self.respond(exchange, Self.dressed(SignalingResponse(413), request))
            return self.end(id, .transportError, now)
        }
        guard let packets = Self.packets(of: request) else {
            self.respond(exchange, EngineIORefusal.badRequest.response(to: request))
            return self.end(id, .transportError, now)
        }
        // Forms are sent into frames, which show what they get.
        let ok = SignalingResponse(200, headers: ["content-type": "text/html; charset=UTF-8"], text: "ok")
        self.respond(exchange, Self.dressed(ok, request))
        for packet in packets { self.receive(packet, of: id, now) }
    }

    private static func packets(of request: SignalingRequest) -> [EngineIOPacket]? {
        let type = request.headers.first("content-type") ?? ""
        if type.hasPrefix("application/octet-stream") { return EngineIOPayload.decode(binary: request.body) }
        guard request.queryValue("j") != nil else { return EngineIOPayload.decode(text: request.body) }
        guard let data = FormFields.value("d", in: String(buffer: request.body)) else { return nil }
        return EngineIOPayload.decode(text: ByteBuffer(string: self.unescapingNewlines(data)))
    }

    /// A form's `\n` stands for a newline, which browsers change on the way, and its `\\n` for `\n`.
    static func unescapingNewlines(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var slashes = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "n"), slashes == 1 {
                bytes[bytes.count - 1] = UInt8(ascii: "\n")
            } else if byte == UInt8(ascii: "n"), slashes >= 2 {
                bytes[bytes.count - 1] = byte
            } else {
                bytes.append(byte)
            }
            slashes = byte == UInt8(ascii: "\\") ? slashes + 1 : 0
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends what waits, if there is a poll.
    mutating func flush(_ id: EngineIOSessionID) {
        guard self.sessions[id]?.poll != nil, var session = self.sessions[id], let poll = session.poll,
            !session.waiting.isEmpty
        else { return }
        let packets = Array(session.waiting.prefix(EngineIOPayload.maximumPackets))
        session.waiting.removeFirst(packets.count)
        session.waitingBytes -= packets.reduce(0) { $0 + $1.cost }
        session.poll = nil
        session.releaseDeadline = nil
        self.polls[poll.exchange] = nil
        self.respond(
            poll.exchange,
            Self.response(to: poll.request, carrying: packets, supportsBinary: session.supportsBinary)
        )
        self.sessions[id] = session
        if session.endDeadline == nil || !session.waiting.isEmpty {
            self.updateDeadline(of: id)
        } else {
            self.forget(id)
        }
    }

    static func response(
        to request: SignalingRequest,
        carrying packets: [EngineIOPacket],
        supportsBinary: Bool
    ) -> SignalingResponse {
        if let index = request.queryValue("j") {
            guard case .text(let payload) = EngineIOPayload.encode(packets, supportsBinary: false) else {
                return SignalingResponse(500)
            }
            // Nothing but a number is repeated in a script.
            let digits = String(index.filter { ("0"..."9").contains($0) }.prefix(10))
            let script = "___eio[\(digits)](\(JSONStrings.encode(payload)));"
            let headers: SignalingHeaders = ["content-type": "text/javascript; charset=UTF-8"]
            return self.dressed(SignalingResponse(200, headers: headers, text: script), request)
        }
        switch EngineIOPayload.encode(packets, supportsBinary: supportsBinary) {
        case .text(let text): return self.dressed(SignalingResponse(200, text: text), request)
        case .binary(let bytes):
            let headers: SignalingHeaders = ["content-type": "application/octet-stream"]
            return self.dressed(SignalingResponse(200, headers: headers, body: bytes), request)
        }
    }

    private static func dressed(_ response: SignalingResponse, _ request: SignalingRequest) -> SignalingResponse {
        var response = response
        response.headers.allowOrigin(of: request)
        response.headers.forbidCaching()
        response.headers.add("x-content-type-options", "nosniff")
        return response
    }

    mutating func respond(_ exchange: ExchangeID, _ response: SignalingResponse) {
        self.outputs.append(.respond(exchange, response))
    }
}
