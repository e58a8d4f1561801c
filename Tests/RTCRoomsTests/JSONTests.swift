import RTCRooms
import Testing

@Suite struct JSONTests {
    @Test(
        "Documents are read, and written back in their shortest form",
        arguments: [
            ("null", "null"), (" true ", "true"), ("0", "0"), ("-0", "0"), ("-12", "-12"), ("1.5", "1.5"),
            ("1e2", "100.0"), ("1e15", "1e15"), ("-125e7", "-125e7"), ("1234567.0", "1234567.0"), ("1e300", "1e+300"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9.223372036854776e+18"), ("\"\"", "\"\""),
            (#""a\u0041\n\/\"\\\t""#, #""aA\n/\"\\\t""#), (#""\ud83d\ude00""#, "\"😀\""),
            (#""\u0001\u001f""#, #""\u0001\u001f""#),
            (#""\ud800""#, "\"\u{FFFD}\""), (#""\ud800x""#, "\"\u{FFFD}x\""), ("[]", "[]"), ("{ }", "{}"),
            (#"[1, [2 ,{"b":3,"a":null}]]"#, #"[1,[2,{"a":null,"b":3}]]"#), (#"{"a":1,"a":2}"#, #"{"a":2}"#),
        ]
    )
    func documents(text: String, written: String) {
        #expect(JSONValue(parsing: text)?.text == written)
    }

    @Test(
        "What is no document is refused",
        arguments: [
            "", " ", "nul", "truee", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "\"", "\"\\\"", "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"", "\"a\nb\"", "[", "[1", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1,}",
            "{a:1}",
            "{1:1}", "{}{}", "[] x", "NaN", "Infinity", "'a'",
        ]
    )
    func broken(text: String) {
        #expect(JSONValue(parsing: text) == nil)
    }

    @Test("Depth is bounded")
    func depth() {
        let deepest = JSONValue.maximumDepth
        #expect(
            JSONValue(parsing: String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest)) != nil
        )
        #expect(
            JSONValue(parsing: String(repeating: "[", count: deepest + 1) + String(repeating: "]", count: deepest + 1))
                == nil
        )
        #expect(JSONValue(parsing: String(repeating: "{\"a\":", count: 100_000)) == nil)
    }

    @Test(
        "Messages come back from JSON as they were",
        arguments: [
            .negotiation(NegotiationMessage(call: 1, .offer(sdp: "v=0\r\n", number: 3, answered: 1))),
            .negotiation(NegotiationMessage(call: 2, .answer(sdp: "v=0\r\n", number: 3))),
            .negotiation(
                NegotiationMessage(
                    call: 1,
                    .candidate(
                        CandidateMessage(
                            candidate: "candidate:1 …",
                            sdpMid: "0",
                            sdpMLineIndex: 0,
                            usernameFragment: "u"
                        )
                    )
                )
            ),
            .negotiation(NegotiationMessage(call: 1, .candidate(CandidateMessage(candidate: "")))),
            .negotiation(NegotiationMessage(call: 1, .endOfCandidates(usernameFragment: "u"))),
            .negotiation(NegotiationMessage(call: 1, .restart)),
            .negotiation(
                NegotiationMessage(call: 1, .synchronise(NegotiationPosition(offer: 2, answered: 0, wantsReply: true)))
            ),
            .negotiation(NegotiationMessage(call: 9, .bye(reason: "enough"))),
            .data(["a": [1, 2.5, .null]]),
        ] as [RoomMessage]
    )
    func messages(message: RoomMessage) throws {
        let json = try #require(JSONValue(parsing: message.json.text))
        #expect(RoomMessage(json) == message)
    }

    @Test(
        "Broken messages are none",
        arguments: [
            #"{"type":"offer","call":1,"sdp":"x"}"#, #"{"type":"offer","call":0,"sdp":"x","number":1}"#,
            #"{"type":"offer","call":1,"sdp":1,"number":1}"#, #"{"type":"candidate","call":1}"#,
            #"{"type":"offer","call":9223372036854775807,"sdp":"x","number":1}"#,
            #"{"type":"offer","call":9007199254740991,"sdp":"x","number":1}"#,
            #"{"type":"answer","call":1,"sdp":"x","number":9223372036854775807}"#,
            #"{"type":"synchronise","call":1,"answered":9223372036854775807}"#,
            #"{"type":"synchronise","call":1,"answered":0,"offer":9223372036854775807}"#,
            #"{"type":"synchronise","call":1}"#, #"{"type":"synchronise","call":1,"answered":0,"offer":0}"#,
            #"{"type":"other","call":1}"#, #"{"call":1}"#, "[]", "3",
        ]
    )
    func brokenMessages(text: String) throws {
        #expect(RoomMessage(try #require(JSONValue(parsing: text))) == nil)
    }
}
