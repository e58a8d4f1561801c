import JSONLines
import NIOCore
import RTCSignaling
import RTCSignalingClient

// Bytes stand in JSON as `{"base64": TEXT}`.

extension SocketIOValue {
    init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let elements): self = .array(elements.map(SocketIOValue.init))
        case .object(let members):
            if members.count == 1, let bytes = members["base64"]?.base64Bytes {
                self = .binary(ByteBuffer(bytes: bytes))
            } else {
                self = .object(members.mapValues(SocketIOValue.init))
            }
        }
    }
}

extension JSONValue {
    init(_ value: SocketIOValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .binary(let bytes): self = ["base64": .base64(bytes.readableBytesView)]
        case .array(let elements): self = .array(elements.map(JSONValue.init))
        case .object(let members): self = .object(members.mapValues(JSONValue.init))
        }
    }

    init(_ state: SocketIOClient.State) {
        switch state {
        case .connected(let carrier): self = ["name": "connected", "by": .string("\(carrier)")]
        case .waiting(let error, let attempt, _):
            self = ["name": "waiting", "reason": .string("\(error)"), "attempt": JSONValue(attempt)]
        case .over(let error, let unconfirmed):
            self = [
                "name": "over", "reason": JSONValue(error.map { "\($0)" }), "unconfirmed": JSONValue(unconfirmed),
            ]
        }
    }
}
