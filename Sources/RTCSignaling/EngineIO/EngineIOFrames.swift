/// A packet and its frames, each of which is made once for all who get it.
struct EngineIOFrames {
    let packet: EngineIOPacket
    private var plain: WebSocketMessage?
    private var text: WebSocketMessage?

    init(_ packet: EngineIOPacket) { self.packet = packet }

    mutating func frame(supportsBinary: Bool) -> WebSocketMessage {
        if let made = supportsBinary ? self.plain : self.text { return made }
        let frame = self.packet.frame(supportsBinary: supportsBinary)
        if supportsBinary { self.plain = frame } else { self.text = frame }
        return frame
    }
}
