import JSONLines
import RTCBase

/// Why a request failed, in the terms of the protocol.
struct Failure: Error {
    let name: String
    let message: String
    var members: [String: JSONValue] = [:]

    init(_ name: String, _ message: String) {
        self.name = name
        self.message = message
    }

    init(_ error: RTCError) {
        self.init(error.code.name, error.message)
        self.members = error.details
    }

    /// What the Swift API does not have.
    static func notImplemented(_ what: String) -> Failure { Failure("NotImplemented", "not implemented: \(what)") }

    var json: JSONValue {
        var json = self.members
        json["name"] = .string(self.name)
        json["message"] = .string(self.message)
        return .object(json)
    }
}

extension RTCError {
    /// The attributes of an `RTCError` beside its name and message.
    var details: [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        if let detail = self.detail { members["errorDetail"] = .string(detail.rawValue) }
        if let line = self.sdpLineNumber { members["sdpLineNumber"] = JSONValue(line) }
        if let cause = self.sctpCauseCode { members["sctpCauseCode"] = JSONValue(cause) }
        if let alert = self.receivedAlert { members["receivedAlert"] = JSONValue(alert) }
        if let alert = self.sentAlert { members["sentAlert"] = JSONValue(alert) }
        return members
    }
}
