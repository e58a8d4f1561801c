import JSONLines
import NIOCore
import RTCCore
import WebRTC

// MARK: - From Node

extension JSONValue {
    /// The id of an object that is referred to.
    var reference: String? { self["$ref"]?.string }

    /// The bytes of a `$bin`.
    var binary: [UInt8]? { self["$bin"]?.base64Bytes }

    var candidateInit: RTCIceCandidateInit {
        RTCIceCandidateInit(
            candidate: self["candidate"]?.string ?? "",
            sdpMid: self["sdpMid"]?.string,
            sdpMLineIndex: self["sdpMLineIndex"]?.int,
            usernameFragment: self["usernameFragment"]?.string
        )
    }

    func sessionDescription() throws -> RTCSessionDescription {
        guard let type = self["type"]?.string.flatMap(RTCSdpType.init(rawValue:)) else {
            throw Failure("TypeError", "a description needs a type")
        }
        return RTCSessionDescription(type: type, sdp: self["sdp"]?.string ?? "")
    }

    var dataChannelInit: RTCDataChannelInit {
        RTCDataChannelInit(
            ordered: self["ordered"]?.bool ?? true,
            maxPacketLifeTime: self["maxPacketLifeTime"]?.int.map(UInt16.init(clamping:)),
            maxRetransmits: self["maxRetransmits"]?.int.map(UInt16.init(clamping:)),
            protocol: self["protocol"]?.string ?? "",
            negotiated: self["negotiated"]?.bool ?? false,
            id: self["id"]?.int.map(UInt16.init(clamping:)),
            priority: self["priority"]?.string.flatMap(RTCPriorityType.init(rawValue:)) ?? .low
        )
    }

    var iceServer: RTCIceServer {
        RTCIceServer(
            urls: self["urls"]?.string.map { [$0] } ?? self["urls"]?.array?.compactMap(\.string) ?? [],
            username: self["username"]?.string,
            credential: self["credential"]?.string
        )
    }
}

// MARK: - To Node

extension JSONValue {
    static func reference(_ id: String, _ type: String) -> JSONValue {
        ["$ref": .string(id), "$type": .string(type)]
    }

    static func binary(_ bytes: some Sequence<UInt8>) -> JSONValue { ["$bin": .base64(bytes)] }

    /// A number that may be without bound.
    static func limit(_ value: Int) -> JSONValue { value == .max ? ["$num": "Infinity"] : JSONValue(value) }

    init(_ description: RTCSessionDescription?) {
        guard let description else {
            self = .null
            return
        }
        self = ["type": .string(description.type.rawValue), "sdp": .string(description.sdp)]
    }

    init(_ candidate: RTCIceCandidate) {
        self = [
            "candidate": .string(candidate.candidate),
            "sdpMid": JSONValue(candidate.sdpMid),
            "sdpMLineIndex": JSONValue(candidate.sdpMLineIndex),
            "usernameFragment": JSONValue(candidate.usernameFragment),
            "foundation": JSONValue(candidate.foundation),
            "component": JSONValue(candidate.component),
            "priority": JSONValue(candidate.priority),
            "address": JSONValue(candidate.address),
            "protocol": JSONValue(candidate.protocol?.rawValue),
            "port": JSONValue(candidate.port),
            "type": JSONValue(candidate.type?.rawValue),
            "tcpType": JSONValue(candidate.tcpType?.rawValue),
            "relatedAddress": JSONValue(candidate.relatedAddress),
            "relatedPort": JSONValue(candidate.relatedPort),
            "relayProtocol": JSONValue(candidate.relayProtocol?.rawValue),
            "url": JSONValue(candidate.url),
        ]
    }

    init(_ pair: RTCIceCandidatePair?) {
        self = pair.map { ["local": JSONValue($0.local), "remote": JSONValue($0.remote)] } ?? .null
    }

    init(_ parameters: RTCIceParameters?) {
        guard let parameters else {
            self = .null
            return
        }
        self = [
            "usernameFragment": .string(parameters.usernameFragment), "password": .string(parameters.password),
        ]
    }

    init(_ server: RTCIceServer) {
        var members: [String: JSONValue] = ["urls": .array(server.urls.map { .string($0) })]
        if let username = server.username { members["username"] = .string(username) }
        if let credential = server.credential { members["credential"] = .string(credential) }
        self = .object(members)
    }

    init(_ message: RTCDataChannelMessage) {
        self = message.text.map { .string($0) } ?? .binary(message.bytes.readableBytesView)
    }
}

// MARK: - Statistics

extension JSONValue {
    /// The dictionaries of a report. Its structures are named and built as in webrtc-stats, so their own members tell what to write.
    init(_ report: RTCStatsReport) {
        self = .array(
            report.entries.map { entry in
                var members = Self.members(of: entry.content)
                members["id"] = .string(entry.id)
                members["type"] = .string(entry.type)
                members["timestamp"] = .number(entry.timestamp)
                return .object(members)
            }
        )
    }

    private static func members(of content: RTCStats.Content) -> [String: JSONValue] {
        // The one child of the enumeration is its associated structure.
        guard let dictionary = Mirror(reflecting: content).children.first?.value else { return [:] }
        var members: [String: JSONValue] = [:]
        for case (let name?, let value) in Mirror(reflecting: dictionary).children {
            members[name] = Self.scalar(value)
        }
        return members
    }

    private static func scalar(_ value: Any) -> JSONValue? {
        switch value {
        case let value as String: return .string(value)
        case let value as Bool: return .bool(value)
        case let value as Double: return .number(value)
        case let value as any BinaryInteger: return JSONValue(value)
        case let value as any RawRepresentable: return Self.scalar(value.rawValue)
        default:
            let mirror = Mirror(reflecting: value)
            guard mirror.displayStyle == .optional, let wrapped = mirror.children.first?.value else { return nil }
            return Self.scalar(wrapped)
        }
    }
}
