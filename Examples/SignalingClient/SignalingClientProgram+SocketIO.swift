import ExampleSupport
import Foundation
import RTCSignaling
import RTCSignalingClient

extension SignalingClientProgram {
    func runSocketIO() async throws {
        var configuration = SocketIOClientConfiguration()
        switch self.by {
        case .socketIOWebSocket: configuration.transport = .webSocket
        case .socketIOPolling: configuration.transport = .polling
        default: break
        }
        let client = try await SocketIOClient.connect(
            to: self.url,
            namespace: self.namespace,
            configuration: configuration,
            http: self.settings()
        )
        let socket = client.socket
        StandardOutput.write("Connected by \(self.by.rawValue)")
        let sender = Task {
            for await line in StandardInput.lines() { try await socket.emit(self.event, .string(line)) }
            await client.close()
        }
        for try await event in socket.events {
            switch event {
            case .connected: break
            case .received(let received):
                StandardOutput.write(self.text(of: received))
                if received.wantsAcknowledgement { try? await received.acknowledge() }
            case .error(let value): self.tell("The server says that something is wrong: \(value)")
            case .interrupted(let error, let unconfirmed):
                self.tell("Interrupted, \(unconfirmed) lines may not have arrived: \(error)")
            case .disconnected(let error?, _): throw error
            case .disconnected(nil, _): break
            }
        }
        sender.cancel()
    }

    private func text(of received: SocketIOClient.ReceivedEvent) -> String {
        if received.name == self.event, received.arguments.count == 1, let text = received.arguments[0].string {
            return text
        }
        return "\(received.name): \(received.arguments)"
    }

    /// Tells the user what is no line of the server's.
    private func tell(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
