import RTCSignaling

/// The paths of a service: `PATH` and `PATH/NAME` take offers, `…/session/ID` are the sessions that came of them.
struct ServicePaths: Sendable {
    /// The service's own path, without a slash at its end.
    let root: String

    init(_ path: String) { self.root = path.hasSuffix("/") ? String(path.dropLast()) : path }

    private static let session = "session"

    /// What a request is for; nil if it is for nothing here.
    func request(_ http: SignalingRequest) -> WHIPRequest? {
        guard let (name, session) = self.parts(of: http.path), let decoded = PercentEncoding.decode(name) else {
            return nil
        }
        return WHIPRequest(http: http, name: decoded, session: session)
    }

    /// The path of a session that a request opened. What stands in the query may be what admits the client, so it stays.
    func location(of id: String, _ request: WHIPRequest) -> String {
        let name = self.parts(of: request.http.path)?.name ?? ""
        let path = self.root + (name.isEmpty ? "" : "/\(name)") + "/\(Self.session)/\(id)"
        return request.http.query.isEmpty ? path : "\(path)?\(request.http.query)"
    }

    private func parts(of path: String) -> (name: Substring, session: String?)? {
        guard path.hasPrefix(self.root) else { return nil }
        let rest = path.dropFirst(self.root.count)
        guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
        var parts = rest.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        // A slash at the end adds nothing.
        if parts.last?.isEmpty == true { parts.removeLast() }
        var session: String?
        if parts.count >= 2, parts[parts.endIndex - 2] == Self.session {
            session = parts.last.map(String.init)
            parts.removeLast(2)
        }
        guard parts.count <= 1 else { return nil }
        return (parts.first ?? "", session)
    }
}
