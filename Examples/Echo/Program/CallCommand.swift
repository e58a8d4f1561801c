import ArgumentParser
import ExampleSupport
import NIOCore
import WebRTC

/// `echo call`: a peer that checks an echo server.
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Send messages to an echo server and check that each comes back unaltered.",
        discussion: "Exits with 0 only if every message came back as it was sent."
    )

    @Argument(help: "The server's address, for example http://127.0.0.1:8080/.")
    var url: String

    @Option(help: "How many messages to send, texts and bytes by turns.")
    var messages = 100

    @Option(help: "The size of a message in bytes.")
    var size = 64

    @Option(help: "How many seconds all of it may take.")
    var timeout = 30.0

    @Flag(help: "Print one JSON object instead of a sentence.")
    var json = false

    func validate() throws {
        guard self.messages >= 1, self.messages <= 10_000_000 else {
            throw ValidationError("--messages is from 1 to 10000000")
        }
        guard self.size >= 0, self.size <= 256 << 10 else { throw ValidationError("--size is from 0 to 262144") }
        guard self.timeout > 0, self.timeout <= 86_400 else { throw ValidationError("--timeout is from 0 to 86400") }
    }

    func run() async throws {
        do {
            let call = EchoCall(url: try HTTPURL(self.url), messages: self.messages, size: self.size)
            let trips = try await call.run(timeout: .seconds(self.timeout))
            StandardOutput.write(self.json ? String(buffer: try JSON.encode(trips)) : trips.text)
        } catch {
            if self.json { StandardOutput.write(#"{"unaltered":false}"#) }
            throw CallFailure(description: String(describing: error))
        }
    }
}

/// What ArgumentParser prints as `Error: …` before it exits with 1.
private struct CallFailure: Error, CustomStringConvertible {
    let description: String
}
