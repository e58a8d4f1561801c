import ArgumentParser
import NIOPosix

/// `rtc-bench agent MODE ROLE [k=v ...]`: one side of a measurement that another program relays.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Be one side of a measurement between two processes.",
        discussion: """
            Speaks line JSON on standard input and output: {"id":N,"type":"offer","sdp":"…"} and answers to it,
            {"id":N,"bye":1}, {"id":0,"done":1}, {"result":…}. The environment variable AGENT_ADDRESS names the IP
            address to use instead of 127.0.0.1.

            Settings: size, seconds, channels (bulk, 1), high (bytes buffered), n, conc, loops (event loops, 1), endpoint (answerer: 1, one
            port for all connections), pinned (tasks run on the event loop, 1).
            """
    )

    enum Mode: String, ExpressibleByArgument {
        case bulk
        case ping
        case setup
        case idle
        case sfu
    }

    enum Role: String, ExpressibleByArgument {
        case offer
        case answer
    }

    @Argument(help: "bulk, ping, setup, idle or sfu (answer only).")
    var mode: Mode

    @Argument(help: "offer or answer.")
    var role: Role

    @Argument(help: "Settings, each as name=value.")
    var settings: [String] = []

    func run() async throws {
        let options = AgentOptions(self.settings)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, options.integer("loops", 1)))
        switch self.role {
        case .offer:
            try await OffererAgent(mode: self.mode, options: options, group: group).run()
        case .answer where self.mode == .sfu:
            try await ForwarderAgent(configuration: AgentConfiguration(options: options), group: group).run()
        case .answer:
            try await AnswererAgent(mode: self.mode, options: options, group: group).run()
        }
        // Whoever started this process reads the result and wants nothing more of it.
        AgentProcess.exit()
    }
}
