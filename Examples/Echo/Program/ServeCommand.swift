import ArgumentParser
import ExampleSupport

/// `echo serve`: the page and the answering peer.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a page and answer offers; return every message and every track.",
        discussion: """
            GET / is a page that sends messages, sound and pictures. POST /offer takes {"type":"offer","sdp":"…"} and answers
            {"type":"answer","sdp":"…"} with all candidates. Runs until SIGINT or SIGTERM.
            """
    )

    @OptionGroup var options: ServeOptions

    func run() async throws {
        try await self.options.serve(
            "Echoing data channel messages and tracks",
            page: Page.html,
            prepare: { try await MediaEcho.attach(to: $0) },
            serve: { await MessageEcho.serve($0) }
        )
    }
}
