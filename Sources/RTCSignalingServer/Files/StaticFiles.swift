import NIOCore
import NIOPosix
import RTCSignaling

/// Serves the files of a folder (RFC 9110 sections 8.8.3 and 13.1.2).
struct StaticFiles: Sendable {
    private let path: String
    private let reader: FolderReader

    /// - Parameter path: The path of the folder in URLs, without a slash at its end.
    init(path: String, folder: String, maximumFileSize: Int) {
        self.path = path
        self.reader = FolderReader(folder: folder, maximumFileSize: maximumFileSize)
    }

    func response(to request: SignalingRequest) async -> (SignalingResponse, ResponseBody) {
        guard request.method == "GET" || request.method == "HEAD" else {
            return Self.empty(SignalingResponse(405, headers: ["allow": "GET, HEAD"]))
        }
        guard let names = Self.names(in: request.path.dropFirst(self.path.utf8.count)) else {
            return Self.empty(ServerRefusal.notFound.response)
        }
        let reader = self.reader
        // Not on the event loop: a disk may take its time.
        let found = try? await NIOThreadPool.singleton.runIfActive { reader.find(names) }
        guard let file = found else { return Self.empty(ServerRefusal.notFound.response) }
        var headers: SignalingHeaders = ["etag": file.tag, "cache-control": "no-cache"]
        guard !Self.isKnown(file.tag, request.headers.list("if-none-match")) else {
            return Self.empty(SignalingResponse(304, headers: headers))
        }
        headers.add("content-type", ContentType.of(names.last ?? ""))
        headers.add("x-content-type-options", "nosniff")
        return (SignalingResponse(200, headers: headers), .file(file))
    }

    private static func empty(_ response: SignalingResponse) -> (SignalingResponse, ResponseBody) {
        (response, .bytes(response.body))
    }

    /// The names on the way to a file; nil where a path leads out of the folder or to what is hidden.
    static func names(in path: Substring) -> [String]? {
        guard path.isEmpty || path.hasPrefix("/") else { return nil }
        var names: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let name = PercentEncoding.decode(part), !name.hasPrefix("."),
                !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0 })
            else { return nil }
            names.append(name)
        }
        if names.isEmpty { names = [""] }
        if names.last == "" { names[names.count - 1] = "index.html" }
        return names.contains("") ? nil : names
    }

    /// Whether the client has what the tag names, by weak comparison.
    private static func isKnown(_ tag: String, _ known: [String]) -> Bool {
        known.contains { $0 == "*" || $0 == tag || $0 == "W/" + tag }
    }
}

/// What kinds of files are called.
enum ContentType {
    static func of(_ name: String) -> String {
        switch name.split(separator: ".").last?.lowercased() {
        case "html", "htm": return "text/html; charset=utf-8"
        case "js", "mjs": return "text/javascript; charset=utf-8"
        case "css": return "text/css; charset=utf-8"
        case "json", "map": return "application/json"
        case "txt", "md": return "text/plain; charset=utf-8"
        case "svg": return "image/svg+xml"
        case "png": return "image/png"
        case "jpg", "jpeg": return "image/jpeg"
        case "gif": return "image/gif"
        case "webp": return "image/webp"
        case "ico": return "image/vnd.microsoft.icon"
        case "wasm": return "application/wasm"
        case "woff2": return "font/woff2"
        case "mp3": return "audio/mpeg"
        case "ogg", "opus": return "audio/ogg"
        case "wav": return "audio/wav"
        case "mp4": return "video/mp4"
        case "webm": return "video/webm"
        case "webmanifest": return "application/manifest+json"
        default: return "application/octet-stream"
        }
    }
}
