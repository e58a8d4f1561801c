import Foundation
import RTCSignaling
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(1))) struct StaticFilesTests {
    typealias Server = SignalingServerTests

    /// A folder with files, for as long as it is there.
    final class Folder: Sendable {
        private let outer = FileManager.default.temporaryDirectory.appendingPathComponent("files-\(UUID())")

        var path: String { self.outer.appendingPathComponent("public").path }

        init() throws {
            try FileManager.default.createDirectory(
                atPath: self.path + "/sub/.hidden",
                withIntermediateDirectories: true
            )
            for (name, text) in [
                ("index.html", "<title>index</title>"), ("app.js", "// script"), ("sub/a b.txt", "in a folder"),
                (".secret", "hidden"), ("sub/.hidden/x", "hidden"), ("../outside.txt", "outside"),
                ("large", "12345678901"),
            ] {
                try text.write(toFile: self.path + "/" + name, atomically: false, encoding: .utf8)
            }
            try FileManager.default.createSymbolicLink(
                atPath: self.path + "/link.txt",
                withDestinationPath: "../outside.txt"
            )
        }

        deinit { try? FileManager.default.removeItem(at: self.outer) }
    }

    func ask(_ head: String, maximumFileSize: Int = 1000) async throws -> String {
        let folder = try Folder()
        var heard = ""
        try await Server.serve { routes, _ in
            routes.files("/files", folder: folder.path, maximumFileSize: maximumFileSize)
        } _: { server in
            let request = Array((head + "\r\nHost: x\r\nConnection: close\r\n\r\n").utf8)
            heard = try await RawClient(server).talk([("", request)])
        }
        return heard
    }

    @Test(
        "Files come with their kind",
        arguments: [
            ("/files/app.js", "text/javascript; charset=utf-8", "// script"),
            ("/files/", "text/html; charset=utf-8", "<title>index</title>"),
            ("/files", "text/html; charset=utf-8", "<title>index</title>"),
            ("/files/sub/a%20b.txt?query", "text/plain; charset=utf-8", "in a folder"),
        ]
    )
    func found(path: String, type: String, body: String) async throws {
        let heard = try await self.ask("GET \(path) HTTP/1.1")
        #expect(heard.hasPrefix("HTTP/1.1 200 ") && heard.hasSuffix("\r\n\r\n" + body))
        #expect(heard.contains("content-type: \(type)\r\n") && heard.contains("x-content-type-options: nosniff"))
    }

    @Test(
        "What is not there, hidden or outside is not found",
        arguments: [
            "/files/none", "/files/.secret", "/files/%2esecret", "/files/sub/.hidden/x", "/files/../outside.txt",
            "/files/%2e%2e/outside.txt", "/files/sub/..%2f..%2foutside.txt", "/files/link.txt", "/files/sub",
            "/files/..%5coutside.txt", "/files/app.js%00", "/files//app.js", "/files/%zz", "/files/%ff", "/filesapp.js",
            "/files/./app.js", "/files/sub/%2e%2e/app.js",
        ]
    )
    func notFound(path: String) async throws {
        let heard = try await self.ask("GET \(path) HTTP/1.1")
        #expect(heard.hasPrefix("HTTP/1.1 404 "), "\(path)")
    }

    @Test("A file that is too large is as if it were not there")
    func tooLarge() async throws {
        for (limit, status) in [(10, "404"), (11, "200")] {
            let heard = try await self.ask("GET /files/large HTTP/1.1", maximumFileSize: limit)
            #expect(heard.hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test("HEAD has the head only, and other methods are not allowed")
    func methods() async throws {
        let heard = try await self.ask("HEAD /files/app.js HTTP/1.1")
        #expect(heard.contains("content-length: 9\r\n") && heard.hasSuffix("\r\n\r\n"))
        let refused = try await self.ask("DELETE /files/app.js HTTP/1.1")
        #expect(refused.hasPrefix("HTTP/1.1 405 ") && refused.contains("allow: GET, HEAD"))
    }

    @Test("Who has a file gets 304 until it changes")
    func tags() async throws {
        let folder = try Folder()
        try await Server.serve { routes, _ in
            routes.files("/", folder: folder.path)
        } _: { server in
            func ask(_ headers: String = "") async throws -> String {
                try await RawClient(server).talk([("", Server.get("/app.js", "Connection: close\r\n" + headers))])
            }
            let first = try await ask()
            let tag = try #require(first.split(separator: "etag: ").last?.prefix { $0 != "\r\n" })
            for known in ["\(tag)", "\"other\", W/\(tag)", "*"] {
                let heard = try await ask("If-None-Match: \(known)\r\n")
                #expect(heard.hasPrefix("HTTP/1.1 304 ") && heard.hasSuffix("\r\n\r\n"))
            }
            try "// another script".write(toFile: folder.path + "/app.js", atomically: false, encoding: .utf8)
            let changed = try await ask("If-None-Match: \(tag)\r\n")
            #expect(changed.hasPrefix("HTTP/1.1 200 "))
        }
    }
}
