import ArgumentParser
import ExampleSupport
import Logging
import NIOCore
import RTCTURN
import TURNServer

/// A STUN and TURN server that one command starts.
@main
struct TURNServerProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turn-server",
        abstract: "A STUN and TURN server over UDP, TCP and TLS.",
        discussion: """
            Without options it serves this host on port 3478, and prints URIs and a credential that is good for a day. Every \
            option can be given in the environment too, as TURN_ and its name in capitals (TURN_SHARED_SECRET), and in a \
            file of lines 'name = value' (--config). The command line wins over the environment, and that over the file.
            """
    )

    @OptionGroup var options: ProgramOptions

    func run() async throws {
        let settings = try self.options.settings()
        // Before anything that a signal would leave half done.
        let signal = TerminationSignal()
        var logger = Logger(label: "turn-server") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = settings.isVerbose ? .debug : .warning
        let server: TURNServer
        do {
            server = try await TURNServer.start(settings.configuration, logger: logger)
        } catch let error as TURNServerConfigurationError {
            throw ValidationError(error.description)
        } catch {
            throw ExampleFailure("\(error)")
        }
        for uri in server.uris(host: settings.host) { StandardOutput.write(uri) }
        self.printCredentials(of: server, settings)
        StandardOutput.write("ready")
        await signal.wait()
        if settings.drainSeconds > 0, server.allocationCount > 0 {
            await server.drain(deadline: .now() + .seconds(settings.drainSeconds))
        }
        await server.shutdown()
    }

    private func printCredentials(of server: TURNServer, _ settings: ProgramSettings) {
        guard settings.printsCredential, let credential = server.mintCredential(for: "guest") else { return }
        StandardOutput.write("username: \(credential.username)")
        StandardOutput.write("credential: \(credential.password)")
    }
}
