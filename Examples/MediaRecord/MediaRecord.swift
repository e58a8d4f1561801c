import ArgumentParser
import ExampleSupport
import RTCMedia
import RTCWHIP
import WebRTC

/// Records what browsers send.
@main
struct MediaRecord: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media-record",
        abstract: "Record a browser's camera and microphone into one file, as they are encoded.",
        discussion: """
            The container follows from the file's name: .webm, .mkv or .mp4. The first peer's recording has this name, those of
            later peers a number before the extension. Sound and pictures are synchronised by the sender's reports. GET / is the
            page; POST /offer takes {"type":"offer","sdp":"…"}. Runs until SIGINT or SIGTERM; with --whep it records what a WHEP
            server plays instead, until that ends.
            """
    )

    @Argument(help: "The file to write.")
    var file: String

    @Flag(help: "Write over files that exist.")
    var overwrite = false

    @Option(help: ArgumentHelp("Record what this WHEP endpoint plays.", valueName: "url"))
    var whep: String?

    @Option(help: ArgumentHelp("The bearer token for the WHEP endpoint.", valueName: "text"))
    var token: String?

    @OptionGroup var trust: TrustOptions

    @OptionGroup var options: ServeOptions

    func validate() throws {
        guard MediaContainer(path: self.file) != nil else {
            throw ValidationError("the name of the file ends with none of .webm, .mkv and .mp4")
        }
        guard self.trust.ca == nil || self.whep != nil else { throw ValidationError("--ca goes with --whep") }
    }

    func run() async throws {
        guard let container = MediaContainer(path: self.file) else { return }
        let names = RecordingNames(self.file, overwrites: self.overwrite)
        if let whep { return try await self.play(whep, container, names) }
        try await self.options.serve(
            "Recording to \(self.file)",
            page: Page.html,
            prepare: { connection in try await Recording.prepare(connection, container) },
            serve: { connection in
                await Recording.serve(connection, container, names) {
                    for await event in connection.events where event.endsConnection { break }
                }
            }
        )
    }

    /// Records what a server plays until it ends, or a signal comes.
    private func play(_ url: String, _ container: MediaContainer, _ names: RecordingNames) async throws {
        let signal = TerminationSignal()
        var configuration = WHIPClientConfiguration()
        configuration.token = self.token
        configuration.exchange = AsyncHTTPExchange(tls: try self.trust.tls)
        // The server may be on this machine.
        configuration.addressPolicy.includesLoopback = true
        let client = WHEPClient(url: url, configuration: configuration)
        try await client.play()
        guard let connection = await client.connection else { return }
        StandardOutput.write("Playing \(url)")
        await Recording.serve(connection, container, names) {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await signal.wait() }
                group.addTask { for await _ in client.events {} }
                await group.next()
                group.cancelAll()
            }
            await client.stop()
        }
    }
}

extension MediaContainer {
    /// The container for a file of this name.
    init?(path: String) {
        switch path.lowercased() {
        case let name where name.hasSuffix(".webm"): self = .webM
        case let name where name.hasSuffix(".mkv"): self = .matroska
        case let name where name.hasSuffix(".mp4"): self = .mp4
        default: return nil
        }
    }
}
