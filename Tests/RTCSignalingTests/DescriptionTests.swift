import NIOCore
import Testing

@testable import RTCSignaling

@Suite("Descriptions of what holds secrets")
struct DescriptionTests {
    private static func relay() -> STOMPRelayConfiguration {
        var relay = STOMPRelayConfiguration(host: "broker.example")
        relay.clientPasscode = "hush-1"
        relay.systemPasscode = "hush-2"
        return relay
    }

    private static func client() -> STOMPClientConfiguration {
        var client = STOMPClientConfiguration()
        client.passcode = "hush-3"
        client.headers = [.init("authorization", "hush-4")]
        return client
    }

    private static let request = SignalingRequest(
        method: "POST",
        target: "/sockjs/000/hush-5/xhr?token=hush-6",
        headers: ["authorization": "Bearer hush-7", "cookie": "session=hush-8"],
        body: ByteBuffer(string: "hush-9")
    )

    private static let question = STOMPQuestion(
        connection: STOMPConnectionID(number: 1),
        user: "me",
        kind: .connect(login: "me", passcode: "hush-10", host: nil)
    )

    @Test("No description tells a password, a token, a cookie or a session")
    func secrets() {
        let values: [any Sendable] = [
            Self.relay(), Self.client(), Self.request, Self.request.headers, Self.question, Self.question.kind,
            SignalingResponse(201, headers: ["set-cookie": "hush-11", "location": "/whip/hush-12"]),
        ]
        for value in values {
            for text in ["\(value)", String(reflecting: value), "\([value])", "\(Optional(value) as Any)"] {
                #expect(!text.contains("hush"), "\(text)")
            }
        }
    }

    @Test("Descriptions say what is no secret")
    func useful() {
        #expect("\(Self.relay())".contains("broker.example:61613"))
        #expect("\(Self.question.kind)" == "connect(login: me, host: nil)")
        #expect("\(STOMPQuestion.Kind.send(destination: "/topic/a"))" == "send(/topic/a)")
        #expect("\(STOMPQuestion.Kind.subscribe(destination: "/topic/a"))" == "subscribe(/topic/a)")
        #expect("\(Self.request)" == "SignalingRequest(POST, [authorization, cookie], 6 bytes)")
    }
}
