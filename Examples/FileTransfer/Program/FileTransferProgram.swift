import ArgumentParser

/// Files from one machine to another, by a code that one person tells the other.
@main
struct FileTransferProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file-transfer",
        abstract: "Send files and folders to somebody who has the code.",
        discussion: """
            The sender prints a code of a number and two words; the receiver types it. Both then talk to each other directly where \
            networks let them, and nobody in between can read or alter anything. A transfer that was interrupted goes on when \
            both are started again with the same files and the same folder.

            Exit status: 0 all is there; 1 it ended early; 2 some files were not transferred; 3 the code was wrong; 4 somebody \
            meddled with the connection; 130 interrupted.
            """,
        subcommands: [SendCommand.self, ReceiveCommand.self]
    )
}
