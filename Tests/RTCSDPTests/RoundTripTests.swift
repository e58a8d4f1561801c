import RTCSDP
import Testing

@Suite("Descriptions survive parsing and serialising")
struct RoundTripTests {
    @Test("A captured description serialises to its own bytes and is valid", arguments: Samples.names)
    func capture(name: String) throws {
        let text = try Samples.text(name)
        let session = try SDPSession(parsing: text)
        #expect(sameBytes(session.description, text))
        #expect(session.lineEnding == .crlf)
        try session.validate()
    }

    @Test("A description with LF alone keeps it", arguments: Samples.names)
    func lineFeeds(name: String) throws {
        let text = String(decoding: bytes(try Samples.text(name)).filter { $0 != 0x0D }, as: UTF8.self)
        let session = try SDPSession(parsing: text)
        #expect(session.lineEnding == .lf)
        #expect(sameBytes(session.description, text))
    }

    @Test("A missing line end and empty lines at the end stay as they are", arguments: ["", "\r\n", "\r\n\r\n\r\n"])
    func finalLineEnds(ending: String) throws {
        let text = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite" + ending
        #expect(sameBytes(try SDPSession(parsing: text).description, text))
    }

    @Test("Mixed line ends become CRLF")
    func mixedLineEnds() throws {
        let text = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\ns=-\r\nt=0 0\n"
        let session = try SDPSession(parsing: text)
        #expect(sameBytes(session.description, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"))
    }

    @Test("Unknown lines, unknown attributes, odd spaces and odd order survive")
    func oddities() throws {
        let text = """
            v=0
            o=-  007 0012 IN IP4 0.0.0.0
            s=
            i=über
            a=x-before:\u{20}
            t=0 0
            r=7d 1h 0 25h
            x=unknown
            a=x-empty:
            a=x:1:2:3
            m=audio  09/2 RTP/AVP  0 008\u{20}
            i=title
            a=sendonly
            b=X-YZ:128
            y=0
            k=prompt
            a=recvonly
            c=IN IP6 ::1
            c=IN IP6 ::2
            m=video 0 RTP/AVP 31

            """
        let session = try SDPSession(parsing: text)
        #expect(sameBytes(session.description, text))
        #expect(session.attributes.all("x-empty") == [""])
        #expect(session.attributes[first: "x"] == "1:2:3")
        #expect(session.media[0].port == 9)
        #expect(session.media[0].portCount == 2)
        #expect(session.media[0].formats == ["0", "008"])
        #expect(session.media[0].lines.map(\.type) == ["i", "b", "y", "k", "c", "c"])
        #expect(session.media[0].connection == SDPConnection(addressType: "IP6", address: "::1"))
        #expect(session.media[0].direction == .sendonly)
        #expect(session.media[1].isRejected)
        #expect(session.origin.sessionVersion == 12)
    }

    @Test("Changing one thing changes only its line")
    func smallChange() throws {
        let text = try Samples.text("firefox-offer")
        var session = try SDPSession(parsing: text)
        session.origin.sessionVersion += 1
        session.media[1].direction = .inactive
        session.media[1].port = 0
        let before = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let after = session.description.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(before.count == after.count)
        let changed = zip(before, after).filter { $0 != $1 }.map { String($1) }
        #expect(changed.count == 3)
        #expect(changed.first == "o=mozilla...THIS_IS_SDPARTA-99.0 \(session.origin.sessionID) 1 IN IP4 0.0.0.0")
        #expect(changed.last == "a=inactive")
    }

    @Test("Every candidate of the captures serialises to its own bytes", arguments: Samples.names)
    func candidates(name: String) throws {
        let session = try SDPSession(parsing: try Samples.text(name))
        for section in session.media {
            for text in section.attributes.all("candidate") {
                let candidate = try SDPCandidate(parsing: text)
                #expect(sameBytes(candidate.description, "candidate:" + text))
            }
            #expect(section.candidates.count == section.attributes.all("candidate").count)
        }
    }

    @Test("Reading and writing every typed attribute of the captures changes no byte", arguments: Samples.names)
    func typedViews(name: String) throws {
        let text = try Samples.text(name)
        var session = try SDPSession(parsing: text)
        session.groups = session.groups
        session.fingerprints = session.fingerprints
        session.iceOptions = session.iceOptions
        session.direction = session.direction
        session.extmapAllowMixed = session.extmapAllowMixed
        for index in session.media.indices {
            session.media[index].rewriteTypedViews()
        }
        #expect(sameBytes(session.description, text))
    }
}

extension SDPMedia {
    fileprivate mutating func rewriteTypedViews() {
        self.connection = self.connection
        self.bandwidths = self.bandwidths
        self.mid = self.mid
        self.direction = self.direction
        self.iceUfrag = self.iceUfrag
        self.icePwd = self.icePwd
        self.iceOptions = self.iceOptions
        self.fingerprints = self.fingerprints
        self.setup = self.setup
        self.tlsID = self.tlsID
        self.candidates = self.candidates
        self.endOfCandidates = self.endOfCandidates
        self.sctpPort = self.sctpPort
        self.maxMessageSize = self.maxMessageSize
        self.sctpmap = self.sctpmap
        self.rtcp = self.rtcp
        self.rtcpMux = self.rtcpMux
        self.rtcpRsize = self.rtcpRsize
        self.msids = self.msids
        self.rtpmaps = self.rtpmaps
        self.fmtps = self.fmtps
        self.rtcpFeedback = self.rtcpFeedback
        self.extmaps = self.extmaps
        self.ssrcs = self.ssrcs
        self.ssrcGroups = self.ssrcGroups
        self.rids = self.rids
        self.simulcast = self.simulcast
        self.ptime = self.ptime
        self.maxptime = self.maxptime
    }
}
