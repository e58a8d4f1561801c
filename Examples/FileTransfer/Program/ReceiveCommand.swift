import ArgumentParser
import ExampleSupport
import RTCFileTransfer
import RTCSignaling

/// `file-transfer receive`
struct ReceiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Receive what the sender with a code has.",
        discussion: """
            Nothing is overwritten unless --overwrite says so; a file that is there already with the same content counts as received. What \
            is not complete stays in .rtc-parts inside the folder, and the next transfer of the same files goes on with it.
            """
    )

    @Argument(help: "The sender's code, for example 7-crossword-guitar.")
    var code: String

    @Option(help: ArgumentHelp("The folder to put files into; made if it is not there.", valueName: "folder"))
    var into = "."

    @Flag(help: "Replace files of the same names.")
    var overwrite = false

    @Flag(help: "Give new files a number where there is another of the same name.")
    var rename = false

    @OptionGroup(title: "The way to the other side")
    var way: WayOptions

    func validate() throws {
        guard self.way.http != nil else {
            throw ValidationError("--http says where the sender waits: it printed the URL")
        }
        guard !self.overwrite || !self.rename else {
            throw ValidationError("--overwrite and --rename exclude each other")
        }
    }

    func run() async throws {
        let signal = TerminationSignal()
        let code: PairingCode
        do {
            code = try PairingCode(self.code)
        } catch {
            StandardError.write("\(error)")
            throw ExitCode(ExitStatus.wrongCode)
        }
        let receiver = FileReceiver(
            code,
            into: self.into,
            existing: self.overwrite ? .overwrite : self.rename ? .rename : .keep,
            configuration: self.way.configuration,
            connect: self.way.connector(to: self.way.http ?? "")
        )
        let console = Console(isSender: false)
        let transfer: Console.Transfer = { report async throws(FileTransferError) in try await receiver.run(report) }
        throw ExitCode(await console.run(until: signal, transfer))
    }
}
