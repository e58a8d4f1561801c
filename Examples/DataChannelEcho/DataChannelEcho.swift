import ArgumentParser

/// A server that returns every data channel message, and a client that checks it.
@main
struct DataChannelEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datachannel-echo",
        abstract: "Returns every WebRTC data channel message as it came.",
        subcommands: [ServeCommand.self, CallCommand.self]
    )
}
