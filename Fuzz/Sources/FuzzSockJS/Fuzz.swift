import CFuzzer
import FuzzInput
import NIOCore
import RTCBase
import RTCSignaling

/// Requests to a SockJS service, with any path, query, form and body, and time; and its frames in WebSockets.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    if input.byte() & 1 == 0 {
        frames(String(decoding: input.rest(), as: UTF8.self))
    } else {
        serve(&input)
    }
    return 0
}

private func frames(_ text: String) {
    guard let messages = SockJSFrame.messages(from: text) else { return }
    // What was read is written and read again as the same: a frame of the server's is an `a` before an array.
    let written = SockJSFrame.messages(messages).text
    require(written.hasPrefix("a["), "a frame of another kind")
    require(SockJSFrame.messages(from: String(written.dropFirst())) == messages, "messages came as others")
}

private func serve(_ input: inout FuzzInput) {
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var configuration = SockJSConfiguration()
    configuration.maximumSessions = 4
    configuration.maximumUnsentBytes = 4096
    configuration.responseLimit = 1024
    var service = SockJSService(path: "/s", configuration: configuration, random: .seeded(1))
    var exchange: UInt64 = 0
    var open: Set<ExchangeID> = []
    let methods = ["GET", "POST", "OPTIONS", "HEAD"]
    let ends = ["xhr", "xhr_streaming", "xhr_send", "eventsource", "htmlfile", "jsonp", "jsonp_send", "websocket"]
    for _ in 0..<32 where !input.isEmpty {
        let action = input.byte()
        switch action & 3 {
        case 0: now = now + .seconds(Int64(input.byte() & 31))
        case 1: if let first = open.first { service.exchangeEnded(first, now: now) }
        default:
            exchange += 1
            let id = ExchangeID(rawValue: exchange)
            var target = "/s/0/\(input.byte() & 3)/" + ends[Int(action >> 2) % ends.count] + "?"
            if action & 0x80 != 0 { target = "/s" }
            target += String(decoding: input.run().prefix(200), as: UTF8.self)
            var request = SignalingRequest(method: methods[Int(input.byte() & 3)], target: target)
            request.body = ByteBuffer(bytes: input.run())
            if action & 0x40 != 0 { request.headers.add("content-type", "application/x-www-form-urlencoded") }
            _ = request.queryValue("c")
            _ = request.cookie("JSESSIONID")
            open.insert(id)
            service.receive(request, exchange: id, now: now)
        }
        service.handleTimeout(now: now)
        while let output = service.poll() {
            switch output {
            case .respond(let id, _), .end(let id): require(open.remove(id) != nil, "a response twice")
            case .begin(let id, _), .body(let id, _): require(open.contains(id), "a response after its end")
            case .message(let session, let text): service.send(text, to: session, now: now)
            case .opened, .closed: break
            }
        }
        require(service.sessionCount <= 4, "more sessions than may be")
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSockJS_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
