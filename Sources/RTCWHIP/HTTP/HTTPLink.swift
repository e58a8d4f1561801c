import RTCCore

/// A link of a `Link` field (RFC 8288 section 3): of a server for ICE, or of an extension.
public struct HTTPLink: Sendable, Hashable {
    /// What it points to, as it was written: a URI, or a reference relative to the URL of the response.
    public var target: String
    /// Its parameters, names in lower case; of several with one name the first counts.
    public var parameters: [String: String]

    /// A link.
    public init(target: String, parameters: [String: String]) {
        self.target = target
        self.parameters = parameters
    }

    /// Whether the link's relation types contain one (RFC 8288 section 3.3); they are compared without case.
    public func has(relation: String) -> Bool {
        let relations = (self.parameters["rel"] ?? "").split(separator: " ")
        return relations.contains { $0.lowercased() == relation.lowercased() }
    }

    /// The relation type of servers for ICE (RFC 9725 section 4.6).
    static let iceServer = "ice-server"
    /// The most links that are read of one response.
    private static let maximumCount = 64

    /// The links of `Link` fields; what is malformed ends its field, and what came before it counts.
    static func parse(_ fields: [String]) -> [HTTPLink] {
        var links: [HTTPLink] = []
        for field in fields {
            var reader = FieldReader(field)
            repeat {
                guard links.count < Self.maximumCount, reader.take("<"), let target = reader.take(until: ">"),
                    let parameters = Self.parameters(&reader)
                else { break }
                links.append(HTTPLink(target: target, parameters: parameters))
            } while reader.take(",")
        }
        return links
    }

    private static func parameters(_ reader: inout FieldReader) -> [String: String]? {
        var parameters: [String: String] = [:]
        while reader.take(";") {
            let name = reader.token().lowercased()
            // An empty parameter is allowed by nobody and written by some.
            guard !name.isEmpty else { continue }
            var value = ""
            if reader.take("=") {
                reader.skipWhitespace()
                value = reader.token()
                if value.isEmpty {
                    guard let quoted = reader.quotedString() else { return nil }
                    value = quoted
                }
            }
            if parameters[name] == nil { parameters[name] = value }
        }
        return parameters
    }

    // MARK: Servers for ICE

    /// The server that the link names; nil if it names none, or one that nothing can be done with.
    var server: RTCIceServer? {
        guard self.has(relation: Self.iceServer) else { return nil }
        guard (self.parameters["credential-type"] ?? "password") == "password" else { return nil }
        let server = RTCIceServer(
            urls: [self.target],
            username: self.parameters["username"],
            credential: self.parameters["credential"]
        )
        guard (try? server.validate()) != nil else { return nil }
        return server
    }

    /// The values of the fields that tell of servers: one for each URL. What no field can hold is left out.
    static func fields(of servers: [RTCIceServer]) -> [String] {
        servers.flatMap { server in
            server.urls.compactMap { url -> String? in
                guard !url.contains(">"), Self.isFieldText(url) else { return nil }
                var field = "<\(url)>; rel=\"\(Self.iceServer)\""
                let secrets = [server.username, server.credential].compactMap { $0 }
                guard secrets.allSatisfy(Self.isFieldText) else { return nil }
                if let username = server.username { field += "; username=\(Self.quoted(username))" }
                guard let credential = server.credential else { return field }
                return field + "; credential=\(Self.quoted(credential)); credential-type=\"password\""
            }
        }
    }

    private static func isFieldText(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(character)
        }
        return quoted + "\""
    }
}
