import ArgumentParser

/// Measures data channels and media, in one process or against other stacks as an agent, and single layers.
@main
struct RTCBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtc-bench",
        abstract: "Measures WebRTC data channels, media and the layers below.",
        subcommands: [
            ThroughputCommand.self, RateCommand.self, RTTCommand.self, ConnectCommand.self, IdleCommand.self,
            SRTPCommand.self, ForwardCommand.self, RelayCommand.self, RoomsCommand.self,
            RoomServerCommand.self, AgentCommand.self,
        ]
    )
}
