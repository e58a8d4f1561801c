import ArgumentParser
import ExampleSupport
import Foundation
import RTCCalls
import RTCRooms
import RTCSignaling
import RTCSignalingClient
import WebRTC

/// A member of a room of `signaling-server`'s page, connected to all others.
@main
struct MeshPeerProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesh-peer",
        abstract: "Join a room and connect to everybody in it: text, files, and media that is returned.",
        discussion: """
            Lines of standard input go to all as text. /file PATH sends a file to all, /restart restarts ICE with all, /statistics \
            prints what there is, /leave leaves.
            """
    )

    @Argument(help: "The address of signaling-server, for example http://127.0.0.1:8080/.")
    var url: String

    @Option(help: "The room.")
    var room = "lobby"

    @Option(help: "The name that others see.")
    var name = "mesh-peer"

    @Flag(help: "Answer every text with the same text.")
    var echo = false

    @Flag(help: "Return sound and pictures to whoever sends them.")
    var returnMedia = false

    @Flag(help: "Restart ICE when another member sends the text /restart.")
    var obey = false

    @Option(help: ArgumentHelp("Send this file to everybody who comes.", valueName: "file"))
    var sendFile: String?

    @Option(
        help: ArgumentHelp("Keep files that others send here; without it they are only counted.", valueName: "folder")
    )
    var saveTo: String?

    func run() async throws {
        let signal = TerminationSignal()
        let page = try HTTPURL(self.url)
        guard let room = RoomName(self.room) else { throw ValidationError("'\(self.room)' is no name of a room") }
        let address = "ws://\(page.authority)/rooms/ws"
        let client = RoomClient { () throws(SignalingChannelError) in try await WebSocketClient.connect(to: address) }
        let side = MeshSide(
            room: client,
            echoes: self.echo,
            returnsMedia: self.returnMedia,
            obeys: self.obey,
            file: self.sendFile,
            folder: self.saveTo
        )
        async let call: Void = side.run()
        do {
            let others = try await client.join(room, metadata: ["name": .string(self.name)])
            StandardOutput.write("joined \(room) as \(client.member?.id.text ?? ""), others: \(others.count)")
        } catch {
            await call
            throw ValidationError("\(error)")
        }
        let commands = Task {
            for await line in StandardInput.lines() { await side.perform(line) }
        }
        let stop = Task {
            await signal.wait()
            client.leave()
        }
        await call
        commands.cancel()
        stop.cancel()
        StandardOutput.write("left")
    }
}
