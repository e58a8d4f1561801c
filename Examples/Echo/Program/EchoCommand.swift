public import ArgumentParser

/// A server that returns every data channel message and every track, and a client that checks it.
public struct EchoCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        abstract: "Returns every WebRTC data channel message as it came, and every audio and video track.",
        subcommands: [ServeCommand.self, CallCommand.self]
    )

    public init() {}
}
