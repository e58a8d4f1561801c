import ArgumentParser
import ExampleSupport
import WebRTC

/// Plays files to whoever opens its page.
@main
struct MediaSend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media-send",
        abstract: "Play media files to a browser, as they are encoded: nothing is decoded or encoded here.",
        discussion: """
            Takes IVF, Ogg/Opus, WAV (G.711), Annex-B H.264 and H.265, WebM, Matroska and MP4. Every viewer sees the files from
            their beginning, over and over. GET / is the page; POST /offer takes {"type":"offer","sdp":"…"} with sections to
            receive sound and pictures. Runs until SIGINT or SIGTERM; with --to it plays once instead, to a program that answers
            offers in this way, media-record for example, and with --whip to a WHIP server (RFC 9725).
            """
    )

    @Argument(help: "The files; the tracks of all are sent.")
    var files: [String]

    @Option(help: ArgumentHelp("Offer the files to this server, play them once and end.", valueName: "url"))
    var to: String?

    @Option(help: ArgumentHelp("Publish the files to this WHIP endpoint, play them once and end.", valueName: "url"))
    var whip: String?

    @Option(help: ArgumentHelp("The bearer token for the WHIP endpoint.", valueName: "text"))
    var token: String?

    @OptionGroup var trust: TrustOptions

    @Flag(help: "Play the files over and over, with --whip until SIGINT or SIGTERM.")
    var loop = false

    @OptionGroup var options: ServeOptions

    func validate() throws {
        guard !self.files.isEmpty else { throw ValidationError("there is no file to play") }
        guard self.trust.ca == nil || self.whip != nil else { throw ValidationError("--ca goes with --whip") }
        for file in self.files { _ = try Playlist(path: file) }
    }

    func run() async throws {
        let files = self.files
        if let whip {
            let publication = Publication(files, repeats: self.loop)
            return try await publication.run(to: whip, token: self.token, tls: try self.trust.tls)
        }
        if let to { return try await Player.call(try HTTPURL(to), with: files) }
        try await self.options.serve(
            "Playing \(files.count == 1 ? files[0] : "\(files.count) files")",
            page: Page.html,
            prepare: { connection in try await Player.attach(files, to: connection) },
            serve: { connection in await Player.serve(files, on: connection) }
        )
    }
}
