import NIOCore

// JSON with bytes beside it: in their places stand `{"_placeholder":true,"num":N}` (Socket.IO protocol 4).

extension SocketIOValue: JSONReadable {}

extension SocketIOValue {
    /// Writes the value, and moves bytes to `attachments`.
    func write(to writer: inout JSONWriter, attachments: inout [ByteBuffer]) {
        switch self {
        case .null: writer.write(raw: "null")
        case .bool(let value): writer.write(value)
        case .number(let value): writer.write(value)
        case .string(let value): writer.write(value)
        case .binary(let bytes):
            writer.write(raw: "{\"_placeholder\":true,\"num\":\(attachments.count)}")
            attachments.append(bytes)
        case .array(let elements):
            writer.write(elements: elements) { $0.write(to: &$1, attachments: &attachments) }
        case .object(let members):
            writer.write(members: members) { $0.write(to: &$1, attachments: &attachments) }
        }
    }

    /// Puts attachments into the places that are theirs; nil if one is for none, or the other way round.
    func filled(with attachments: [ByteBuffer]) -> SocketIOValue? {
        var used = Set<Int>()
        guard let value = self.filled(with: attachments, used: &used), used.count == attachments.count else {
            return nil
        }
        return value
    }

    private func filled(with attachments: [ByteBuffer], used: inout Set<Int>) -> SocketIOValue? {
        switch self {
        case .null, .bool, .number, .string, .binary: return self
        case .array(let elements):
            var filled: [SocketIOValue] = []
            filled.reserveCapacity(elements.count)
            for element in elements {
                guard let value = element.filled(with: attachments, used: &used) else { return nil }
                filled.append(value)
            }
            return .array(filled)
        case .object(var members):
            if members["_placeholder"] == .bool(true) {
                // Each attachment has one place: a small text must not make many of it.
                guard let number = members["num"]?.integer, attachments.indices.contains(number),
                    used.insert(number).inserted
                else { return nil }
                return .binary(attachments[number])
            }
            for (name, value) in members {
                guard let filled = value.filled(with: attachments, used: &used) else { return nil }
                members[name] = filled
            }
            return .object(members)
        }
    }
}
