import ArgumentParser
import ExampleSupport
import RTCMedia
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
            page; POST /offer takes {"type":"offer","sdp":"…"}. Runs until SIGINT or SIGTERM.
            """
    )

    @Argument(help: "The file to write.")
    var file: String

    @Flag(help: "Write over files that exist.")
    var overwrite = false

    @OptionGroup var options: ServeOptions

    func validate() throws {
        guard MediaContainer(path: self.file) != nil else {
            throw ValidationError("the name of the file ends with none of .webm, .mkv and .mp4")
        }
    }

    func run() async throws {
        guard let container = MediaContainer(path: self.file) else { return }
        let names = RecordingNames(self.file, overwrites: self.overwrite)
        try await self.options.serve(
            "Recording to \(self.file)",
            page: Page.html,
            prepare: { connection in try await Recording.prepare(connection, container) },
            serve: { connection in await Recording.serve(connection, container, names) }
        )
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
