import ArgumentParser

/// Measures data channels: in one process, or against other stacks as an agent.
@main
struct RTCBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtc-bench",
        abstract: "Measures WebRTC data channels.",
        subcommands: [
            ThroughputCommand.self, RateCommand.self, RTTCommand.self, ConnectCommand.self, IdleCommand.self,
            AgentCommand.self,
        ]
    )
}
