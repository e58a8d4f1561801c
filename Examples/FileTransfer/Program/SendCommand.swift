import ArgumentParser
import ExampleSupport
import RTCFileTransfer
import RTCSignaling
import RTCSignalingServer

/// `file-transfer send`
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send files and folders; prints the code.",
        discussion: """
            Without --http a server for this transfer runs on this machine, and how to reach it is printed with the code. Symbolic links \
            inside folders, devices and pipes are left out, and said so. Three wrong codes end it.
            """
    )

    @Argument(help: "Files and folders.")
    var files: [String]

    @Option(help: ArgumentHelp("Where the server on this machine listens, without --http.", valueName: "host:port"))
    var listen = HostPort(host: "", port: 0)

    @OptionGroup(title: "The way to the other side")
    var way: WayOptions

    func run() async throws {
        let signal = TerminationSignal()
        let embedded = self.way.http == nil ? try await EmbeddedServer.start(self.listen) : nil
        let url = self.way.http ?? embedded?.ownURL ?? ""
        let console = Console(isSender: true)
        let sender = FileSender(
            self.files,
            configuration: self.way.configuration,
            connect: self.way.connector(to: url)
        )
        let shown = self.way.http.map { [$0] } ?? embedded?.urls ?? []
        let transfer: Console.Transfer = { report async throws(FileTransferError) in
            try await sender.run { event in
                if case .code(let code) = event { Self.tell(code.description, shown) }
                report(event)
            }
        }
        let status = await withTaskGroup(of: Void.self) { group in
            if let server = embedded?.server { group.addTask { await server.run() } }
            let status = await console.run(until: signal, transfer)
            embedded?.server.shutdown()
            return status
        }
        throw ExitCode(status)
    }

    /// Tells how the other side gets at it.
    private static func tell(_ code: String, _ urls: [String]) {
        StandardOutput.write("Code: \(code)")
        for url in urls { StandardOutput.write("Receive with: file-transfer receive \(code) --http \(url)") }
        guard let url = urls.last else { return }
        StandardOutput.write("Or in a browser: \(url)/files#\(code)")
    }
}
