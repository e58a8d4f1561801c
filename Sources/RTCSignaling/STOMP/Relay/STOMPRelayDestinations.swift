/// How destinations of clients become the broker's.
///
/// `/user/queue/x` of a user becomes a name that every node makes in the same way, so whoever sends to `/user/NAME/queue/x` reaches the
/// user on all nodes without one knowing of the other's sessions.
struct STOMPRelayDestinations: Sendable {
    enum Target: Equatable {
        /// As it stands.
        case broker(String)
        /// Several at the broker: the user's and the session's.
        case user([String])
        /// The application's.
        case application
    }

    var configuration: STOMPRelayConfiguration
    var applicationPrefix: String

    /// Where a message goes; nil if nowhere.
    func sending(to destination: String) -> Target? {
        if destination.hasPrefix(self.applicationPrefix) { return .application }
        guard destination.hasPrefix("/user/") else { return self.plain(destination) }
        let rest = destination.dropFirst("/user/".count)
        guard let slash = rest.firstIndex(of: "/"), slash > rest.startIndex else { return nil }
        return .user([self.name(of: String(rest[..<slash]), String(rest[slash...]))])
    }

    /// What a subscription is to at the broker; nil if to nothing.
    func subscribing(to destination: String, user: String?, session: String) -> Target? {
        guard destination.hasPrefix("/user/") else { return self.plain(destination) }
        let rest = String(destination.dropFirst("/user".count))
        let names = [user, session].compactMap { $0 }.map { self.name(of: $0, rest) }
        return .user(Set(names).sorted())
    }

    private func plain(_ destination: String) -> Target? {
        self.configuration.destinationPrefixes.contains { destination.hasPrefix($0) } ? .broker(destination) : nil
    }

    /// The name of a user's or a session's destination at the broker.
    private func name(of owner: String, _ destination: String) -> String {
        self.configuration.userDestinationPrefix + Self.escape(owner) + "." + Self.escape(destination)
    }

    /// Letters, digits and `-` stay; everything else becomes `_` and two digits of hexadecimal, so that no two become the same and none
    /// has a meaning of its own at a broker.
    static func escape(_ text: String) -> String {
        text.utf8.reduce(into: "") { escaped, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                escaped.unicodeScalars.append(UnicodeScalar(byte))
            default:
                escaped += byte < 16 ? "_0" : "_"
                escaped += String(byte, radix: 16)
            }
        }
    }
}
