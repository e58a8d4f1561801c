import NIOCore
import WebRTC

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A description as it travels over HTTP: `{"type":"offer","sdp":"…"}`.
struct SignalingMessage: Codable, Sendable {
    var type: String
    var sdp: String

    init(_ description: RTCSessionDescription) {
        self.type = description.type.rawValue
        self.sdp = description.sdp
    }

    /// The description, if it is of the type that is expected here.
    func description(of expected: RTCSdpType) throws(EchoFailure) -> RTCSessionDescription {
        guard self.type == expected.rawValue else {
            throw EchoFailure("the type is '\(self.type.prefix(32))', not '\(expected.rawValue)'")
        }
        return RTCSessionDescription(type: expected, sdp: self.sdp)
    }
}

/// A refusal as it travels over HTTP: `{"error":"…"}`.
struct SignalingRefusal: Codable, Sendable {
    var error: String
}

/// Values to and from JSON texts.
enum JSON {
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: ByteBuffer) throws(EchoFailure) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes.readableBytesView))
        } catch {
            throw EchoFailure("the body is not the JSON object that is expected: \(Self.explain(error))")
        }
    }

    static func encode(_ value: some Encodable) throws(EchoFailure) -> ByteBuffer {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return ByteBuffer(bytes: try encoder.encode(value))
        } catch {
            throw EchoFailure("no JSON can be made: \(error)")
        }
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): return "'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "it is no object" : "'\(path)' is of another type"
        default: return "it is malformed"
        }
    }
}
