package import NIOCore
package import WebRTC

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A description as it travels over HTTP: `{"type":"offer","sdp":"…"}`.
package struct SignalingMessage: Codable, Sendable {
    package var type: String
    package var sdp: String

    package init(_ description: RTCSessionDescription) {
        self.type = description.type.rawValue
        self.sdp = description.sdp
    }

    /// The description, if it is of the type that is expected here.
    package func description(of expected: RTCSdpType) throws(ExampleFailure) -> RTCSessionDescription {
        guard self.type == expected.rawValue else {
            throw ExampleFailure("the type is '\(self.type.prefix(32))', not '\(expected.rawValue)'")
        }
        return RTCSessionDescription(type: expected, sdp: self.sdp)
    }
}

/// A refusal as it travels over HTTP: `{"error":"…"}`.
package struct SignalingRefusal: Codable, Sendable {
    package var error: String
}

/// Values to and from JSON texts.
package enum JSON {
    package static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: ByteBuffer
    ) throws(ExampleFailure) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes.readableBytesView))
        } catch {
            throw ExampleFailure("the body is not the JSON object that is expected: \(Self.explain(error))")
        }
    }

    package static func encode(_ value: some Encodable) throws(ExampleFailure) -> ByteBuffer {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return ByteBuffer(bytes: try encoder.encode(value))
        } catch {
            throw ExampleFailure("no JSON can be made: \(error)")
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
