import ExampleSupport
import JSONLines
import RTCCore
import RTCRTP
import WebRTC

/// What an agent remembers of the sound and pictures of a connection.
struct AgentMedia {
    /// Whether tracks are returned.
    var isReturned = false
    /// What receivers feed, by mid.
    var sources: [String: MediaStreamTrackSource] = [:]
    /// What came, by mid, since somebody asked first.
    var counts: [String: FrameCounts] = [:]
    /// The tracks that were taken away from their senders, by mid.
    var removed: [String: MediaStreamTrack] = [:]
}

extension Agent {
    /// What a request does to sound and pictures; `nil` if it is about something else.
    func performMedia(_ request: JSONValue, on connection: RTCPeerConnection) async throws -> JSONValue? {
        switch request["op"]?.string {
        case "echoMedia":
            try await MediaEcho.attach(to: connection)
            self.peers[try request.text("pc")]?.media.isReturned = true
        case "addTransceiver":
            guard let kind = MediaKind(rawValue: try request.text("kind")) else { throw AgentError.missing("kind") }
            try await connection.addTransceiver(kind, RTCRtpTransceiverInit(direction: Self.direction(request)))
        case "getTransceivers":
            return ["transceivers": .array(connection.getTransceivers().map { Self.json($0) })]
        case "setDirection":
            try await Self.transceiver(request, of: connection).setDirection(Self.direction(request))
        case "stopTransceiver":
            try await Self.transceiver(request, of: connection).stop()
        case "setTrack":
            try await self.setTrack(request, on: connection)
        case "forwardMedia":
            try await self.forwardMedia(request, on: connection)
        case "getMedia":
            return try self.frames(request, on: connection)
        default:
            return nil
        }
        return [:]
    }

    private func setTrack(_ request: JSONValue, on connection: RTCPeerConnection) async throws {
        let sender = try Self.transceiver(request, of: connection).sender
        if let enabled = request["enabled"]?.bool { sender.track?.enabled = enabled }
        guard let present = request["present"]?.bool else { return }
        let (pc, mid) = (try request.text("pc"), try request.text("mid"))
        if present {
            try await sender.replaceTrack(self.peers[pc]?.media.removed.removeValue(forKey: mid))
        } else {
            self.peers[pc]?.media.removed[mid] = sender.track
            try await sender.replaceTrack(nil)
        }
    }

    private func forwardMedia(_ request: JSONValue, on connection: RTCPeerConnection) async throws {
        let receiver = try Self.transceiver(request, of: connection).receiver
        let (pc, mid) = (try request.text("pc"), try request.text("mid"))
        let rids = request["rids"]?.array?.compactMap(\.string) ?? []
        let to = try request.text("to")
        guard let target = self.peers[to] else { throw AgentError.notFound("peer \(to)") }
        let source =
            self.peers[pc]?.media.sources[mid]
            ?? MediaForwarding.source(fedBy: receiver, label: mid, encodings: max(1, rids.count))
        self.peers[pc]?.media.sources[mid] = source
        let track = MediaStreamTrack(source: source)
        if rids.isEmpty {
            try await target.connection.addTrack(track)
        } else {
            let encodings = rids.map { RTCRtpEncodingParameters(rid: $0) }
            let options = RTCRtpTransceiverInit(direction: .sendonly, sendEncodings: encodings)
            try await target.connection.addTransceiver(track, options)
        }
    }

    private func frames(_ request: JSONValue, on connection: RTCPeerConnection) throws -> JSONValue {
        let (pc, kind, mid) = (try request.text("pc"), request["kind"]?.string, request["mid"]?.string)
        let found = connection.getTransceivers().last { transceiver in
            mid == nil ? transceiver.kind.rawValue == kind && transceiver.mid != nil : transceiver.mid == mid
        }
        guard let transceiver = found, let mid = transceiver.mid else { return ["frames": 0, "layers": []] }
        if let counts = self.peers[pc]?.media.counts[mid] { return counts.json }
        let counts = FrameCounts()
        transceiver.receiver.setFrameHandler { counts.add($0) }
        self.peers[pc]?.media.counts[mid] = counts
        return counts.json
    }

    // MARK: Finding and coding

    private static func transceiver(
        _ request: JSONValue,
        of connection: RTCPeerConnection
    ) throws -> RTCRtpTransceiver {
        let mid = try request.text("mid")
        guard let transceiver = connection.getTransceivers().first(where: { $0.mid == mid }) else {
            throw AgentError.notFound("transceiver \(mid)")
        }
        return transceiver
    }

    private static func direction(_ request: JSONValue) throws -> RTCRtpTransceiverDirection {
        guard let direction = RTCRtpTransceiverDirection(rawValue: try request.text("direction")) else {
            throw AgentError.missing("direction")
        }
        return direction
    }

    private static func json(_ transceiver: RTCRtpTransceiver) -> JSONValue {
        [
            "kind": .string(transceiver.kind.rawValue),
            "mid": JSONValue(transceiver.mid),
            "direction": .string(transceiver.direction.rawValue),
            "currentDirection": JSONValue(transceiver.currentDirection?.rawValue),
            "muted": .bool(transceiver.receiver.track.muted),
        ]
    }

    /// What an event tells of a peer's track.
    static func members(of track: MediaStreamTrack, _ connection: RTCPeerConnection) -> [String: JSONValue] {
        let transceiver = connection.getTransceivers().first { $0.receiver.track === track }
        return ["kind": .string(track.kind.rawValue), "mid": JSONValue(transceiver?.mid)]
    }
}
