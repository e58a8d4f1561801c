import JSONLines
import RTCBase

/// Why a request failed, as the protocol tells it.
struct AgentError: Error {
    let name: String
    let message: String

    static func notFound(_ what: String) -> AgentError { AgentError(name: "NotFoundError", message: "no \(what)") }
    static func missing(_ member: String) -> AgentError {
        AgentError(name: "TypeError", message: "'\(member)' is missing or not of its type")
    }

    init(name: String, message: String) {
        self.name = name
        self.message = message
    }

    init(_ error: any Error) {
        switch error {
        case let error as AgentError: self = error
        case let error as RTCError: self.init(name: error.code.name, message: error.message)
        default: self.init(name: "Error", message: "\(error)")
        }
    }

    var json: JSONValue { ["name": .string(self.name), "message": .string(self.message)] }
}

extension JSONValue {
    func text(_ member: String) throws -> String {
        guard let value = self[member]?.string else { throw AgentError.missing(member) }
        return value
    }

    func integer(_ member: String) throws -> Int {
        guard let value = self[member]?.int else { throw AgentError.missing(member) }
        return value
    }

    func optionalUInt16(_ member: String) throws -> UInt16? {
        guard let value = self[member] else { return nil }
        guard let number = value.int.flatMap({ UInt16(exactly: $0) }) else { throw AgentError.missing(member) }
        return number
    }
}
