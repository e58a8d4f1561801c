import RTCBase
import RTCTURN
import TURNServer
import Testing

@Suite struct ConfigurationTests {
    private static func sound() -> TURNServerConfiguration {
        var configuration = TURNServerConfiguration(
            listeners: [.init(.udp, address: "127.0.0.1", port: 0)],
            relayAddresses: [.init("127.0.0.1")]
        )
        configuration.sharedSecrets = ["secret"]
        return configuration
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let error: TURNServerConfigurationError
        let make: @Sendable (inout TURNServerConfiguration) -> Void

        init(
            _ error: TURNServerConfigurationError,
            _ make: @escaping @Sendable (inout TURNServerConfiguration) -> Void
        ) {
            self.error = error
            self.make = make
        }

        var testDescription: String { self.error.description }
    }

    static let mistakes: [Mistake] = [
        Mistake(.noListeners) { $0.listeners = [] },
        Mistake(.notAnAddress("nowhere")) { $0.listeners = [.init(.udp, address: "nowhere")] },
        Mistake(.portOutOfRange(70_000)) { $0.listeners = [.init(.udp, address: "127.0.0.1", port: 70_000)] },
        Mistake(.missingCertificate(listener: "127.0.0.1:5349")) {
            $0.listeners = [.init(.tls, address: "127.0.0.1", port: 5349)]
        },
        Mistake(.relayPortsOutOfRange(0...10)) { $0.relayPorts = 0...10 },
        Mistake(.severalRelayAddresses("127.0.0.1", "127.0.0.2")) {
            $0.relayAddresses = [.init("127.0.0.1"), .init("127.0.0.2")]
        },
        Mistake(.announcedAddress("::1")) { $0.relayAddresses = [.init("127.0.0.1", announced: "::1")] },
        Mistake(.announcedAddress("0.0.0.0")) { $0.relayAddresses = [.init("0.0.0.0")] },
        Mistake(.noCredentials) { $0.sharedSecrets = [] },
        Mistake(.credentialsWithoutRelays) { $0.relayAddresses = [] },
        Mistake(.unsuitableText("")) { $0.realm = "" },
        Mistake(.unsuitableText("alice")) { $0.users = ["alice": ""] },
        Mistake(.emptySecret) { $0.sharedSecrets = [""] },
        Mistake(.outOfRange(setting: "threads", 0)) { $0.threads = 0 },
        Mistake(.outOfRange(setting: "limits.allocations", 0)) { $0.limits.allocations = 0 },
        Mistake(.outOfRange(setting: "core.defaultLifetime", 90_000)) { $0.core.defaultLifetime = 90_000 },
        Mistake(.alternateAddress("127.0.0.1")) { $0.alternateAddress = "127.0.0.1" },
    ]

    @Test("Each mistake is named before anything is bound", arguments: mistakes)
    func mistake(_ mistake: Mistake) {
        var configuration = Self.sound()
        mistake.make(&configuration)
        #expect(throws: mistake.error) { try configuration.validate() }
    }

    @Test("A sound configuration has no mistakes")
    func soundness() throws {
        try Self.sound().validate()
    }
}
