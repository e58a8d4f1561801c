import RTCBase
import RTCSignaling
import Testing
import WebRTC

@testable import RTCWHIP

@Suite("HTTP fields")
struct HTTPFieldTests {
    @Test(
        "If-Match names any session, or some",
        arguments: [
            ("*", true), (#""*""#, true), (#""a""#, true), (#""b", "a""#, true), (#"W/"a""#, false), (#""b""#, false),
            (#""x,y", "a""#, true), ("a", false), ("", false), (#"""#, false),
        ]
    )
    func match(field: String, matches: Bool) throws {
        let match = try #require(EntityTagMatch(fields: [field]))
        #expect(match.matches(EntityTag(opaque: "a")) == matches)
        #expect(EntityTagMatch(fields: []) == nil)
    }

    @Test("An entity-tag is written as it is read")
    func tag() {
        #expect(EntityTag(field: #""xyzzy""#)?.text == #""xyzzy""#)
        #expect(EntityTag(field: #"W/"xyzzy""#) == nil)
        #expect(EntityTag(field: "xyzzy") == nil)
    }

    @Test("Links of servers are read as they are written")
    func links() throws {
        let servers = [
            RTCIceServer(urls: ["stun:stun.example.net"]),
            RTCIceServer(
                urls: ["turn:turn.example.net?transport=udp", "turns:turn.example.net?transport=tcp"],
                username: #"us"er, \x"#,
                credential: "p;w=<1>"
            ),
        ]
        let fields = HTTPLink.fields(of: servers)
        #expect(fields.count == 3)
        #expect(fields[0] == #"<stun:stun.example.net>; rel="ice-server""#)
        for text in [fields, [fields.joined(separator: ", ")]] {
            let read = HTTPLink.parse(text).compactMap(\.server)
            #expect(read.map(\.urls) == [servers[0].urls, [servers[1].urls[0]], [servers[1].urls[1]]])
            #expect(read[1].username == servers[1].username && read[2].credential == servers[1].credential)
        }
    }

    @Test("A user name or a credential that stands alone is written and read")
    func alone() {
        for server in [
            RTCIceServer(urls: ["stun:a"], username: "u\"", credential: nil),
            RTCIceServer(urls: ["stun:a"], username: nil, credential: "c"),
        ] {
            #expect(HTTPLink.parse(HTTPLink.fields(of: [server])).compactMap(\.server) == [server])
        }
    }

    @Test("What no field can hold is not written")
    func injection() {
        let evil = RTCIceServer(urls: ["turn:a"], username: "u\r\nx: y", credential: "c")
        #expect(HTTPLink.fields(of: [evil]).isEmpty)
        #expect(HTTPLink.fields(of: [RTCIceServer(urls: ["stun:a>\r\nx: y"])]).isEmpty)
    }

    @Test(
        "Links that are no servers are left out, whatever they look like",
        arguments: [
            "<turn:a>", #"<turn:a>; rel="ice-server""#, #"<http://a>; rel="ice-server""#, #"<stun:a; rel="ice-server""#,
            #"<stun:a>; rel="urn:ietf:params:whip:ext:x""#, #"<stun:a>; rel="ice-server"#, "", ",,", "<", "<>", ";",
            #"<turn:a>; rel=ice-server; username=u; credential=c; credential-type="oauth""#,
        ]
    )
    func strangers(field: String) { #expect(HTTPLink.parse([field]).compactMap(\.server).isEmpty) }

    @Test("Parameters may be tokens, and relations several")
    func tokens() {
        let server = HTTPLink.parse([" <turn:a> ;REL=\"x Ice-Server\" ; username=u;credential=c"]).first?.server
        #expect(server?.username == "u")
        let links = HTTPLink.parse([#"<a>; rel="urn:x", <b>;; rel=ice-server"#])
        #expect(links.map(\.target) == ["a", "b"] && links[0].has(relation: "urn:x"))
    }

    @Test(
        "Dates are written and read",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_728_468_000, "Wed, 09 Oct 2024 10:00:00 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ]
    )
    func dates(seconds: Int, text: String) {
        #expect(HTTPDate.text(seconds) == text)
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test("Every day of some years is another date")
    func calendar() {
        for day in 0..<60_000 {
            let text = HTTPDate.text(day * 86_400)
            #expect(HTTPDate.parse(text) == day * 86_400, "\(text)")
        }
    }

    @Test(
        "Retry-After is seconds or a date",
        arguments: [
            ("120", Duration.seconds(120)), (" 0 ", .zero), ("Sun, 06 Nov 1994 08:49:47 GMT", .seconds(10)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", .zero), ("-1", nil), ("soon", nil), ("", nil),
            ("99999999999999999999", nil), ("Sun, 06 Foo 1994 08:49:47 GMT", nil), ("1.5", nil),
        ]
    )
    func retryAfter(field: String, wait: Duration?) { #expect(RetryAfter.parse(field, now: 784_111_777) == wait) }

    @Test("A wait is written in whole seconds, rounded up")
    func retryText() {
        #expect(RetryAfter.text(.milliseconds(1)) == "1")
        #expect(RetryAfter.text(.seconds(30)) == "30")
        #expect(RetryAfter.text(.zero) == "0")
    }

    @Test(
        "A bearer token is what its field says",
        arguments: [
            ("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", nil), ("Bearer", nil), ("Bearer ", nil),
            ("Bearer a b", nil), ("", nil),
        ]
    )
    func token(field: String, token: String?) {
        let read = BearerToken(authorization: field)
        #expect(read?.rawValue == token)
        guard let read, let token else { return }
        #expect(read.matches(token) && !read.matches(token + "x") && !read.matches(""))
        #expect(!"\(read)".contains(token) && !String(reflecting: read).contains(token))
    }

    @Test(
        "References are resolved as RFC 3986 has it",
        arguments: [
            ("/session/1", "https://a.example/session/1"), ("2", "https://a.example/whip/2"),
            ("./2/../3?x=y", "https://a.example/whip/3?x=y"), ("//b.example/c", "https://b.example/c"),
            ("http://c.example:1/d#e", "http://c.example:1/d"), ("", "https://a.example/whip/stage?q=1"),
            ("?z", "https://a.example/whip/stage?z"), ("../../../g", "https://a.example/g"),
            ("..", "https://a.example/"), (".", "https://a.example/whip/"), ("s:x", "s:x"),
        ]
    )
    func references(reference: String, resolved: String) {
        #expect(URLReference("https://a.example/whip/stage?q=1").resolving(reference).text == resolved)
    }

    @Test("A URL without a path is asked for the root")
    func root() {
        #expect(URLReference("http://a.example").target == "/")
        #expect(URLReference("http://a.example").resolving("x").text == "http://a.example/x")
        #expect(URLReference("http://a.example?b").target == "/?b")
        for text in ["", "a", "ftp://a", "http:", "http://", "http:///x", "://"] { #expect(!URLReference(text).isHTTP) }
    }

    @Test(
        "Paths name streams and sessions",
        arguments: [
            ("/whip", "", nil), ("/whip/", "", nil), ("/whip/a", "a", nil), ("/whip/a%20b/", "a b", nil),
            ("/whip/session/1", "", "1"), ("/whip/a/session/1", "a", "1"), ("/whip/session", "session", nil),
        ] as [(String, String, String?)]
    )
    func paths(path: String, name: String, session: String?) throws {
        let paths = ServicePaths("/whip/")
        let request = try #require(paths.request(.init(method: "POST", target: path + "?t=1")))
        #expect(request.name == name && request.session == session)
        if session == nil {
            let location = paths.location(of: "99", request)
            #expect(location.hasSuffix("/session/99?t=1"))
            let back = try #require(paths.request(.init(method: "PATCH", target: location)))
            #expect(back.name == name && back.session == "99")
        }
    }

    @Test(
        "Other paths name nothing",
        arguments: ["/", "/whipx", "/whip/a/b", "/whip/a/b/session/1", "/whip/%zz", "/whip/%ff", "/whip//a", ""]
    )
    func noPaths(path: String) {
        #expect(ServicePaths("/whip").request(.init(method: "POST", target: path)) == nil)
    }
}
