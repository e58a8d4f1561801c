import RTCSCTP
import Testing

/// The engines of the two sides of a test.
struct EnginePair: Sendable, Hashable {
    var client: SCTPConfiguration.Engine
    var server: SCTPConfiguration.Engine

    static let native = EnginePair(client: .native, server: .native)
    static let usrsctp = EnginePair(client: .usrsctp, server: .usrsctp)
    static let all = [
        Self.native, Self.usrsctp, EnginePair(client: .native, server: .usrsctp),
        EnginePair(client: .usrsctp, server: .native),
    ]

    @TaskLocal static var current = EnginePair.native
}

/// Runs a test once with each of some pairs of engines.
struct EnginesTrait: SuiteTrait, TestTrait, TestScoping {
    let pairs: [EnginePair]
    let isRecursive = true

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        for pair in self.pairs {
            try await EnginePair.$current.withValue(pair) { try await function() }
        }
    }
}

extension Trait where Self == EnginesTrait {
    static func engines(_ pairs: [EnginePair]) -> Self { EnginesTrait(pairs: pairs) }
}
