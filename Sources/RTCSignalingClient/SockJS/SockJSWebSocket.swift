import RTCSignaling
import Synchronization

/// SockJS's frames in a WebSocket.
final class SockJSWebSocket: Sendable {
    private struct State {
        /// Messages that came in one frame with others.
        var messages: ArraySlice<String> = []
        /// What the server closed with.
        var end: Result<String?, SignalingChannelError>?
    }

    private let socket: WebSocketClient
    private let state = Mutex(State())

    private init(_ socket: WebSocketClient) { self.socket = socket }

    /// Opens a WebSocket and takes the frame that opens the session.
    static func connect(
        to url: String,
        configuration: WebSocketClientConfiguration
    ) async throws(SignalingChannelError) -> SockJSWebSocket {
        let socket = try await WebSocketClient.connect(to: url, configuration: configuration)
        let opened = Opening(within: configuration.connectTimeout)
        let first = Task {
            let result: Result<String?, SignalingChannelError>
            do throws(SignalingChannelError) {
                result = .success(try await socket.receive())
                opened.succeed()
            } catch {
                result = .failure(error)
                opened.fail(error)
            }
            return result
        }
        do throws(SignalingChannelError) {
            try await opened.wait()
        } catch {
            // That lets go of the socket, which closes: nobody waits for a server that says nothing.
            first.cancel()
            throw error
        }
        let frame = try await first.value.get().flatMap(SockJSFrame.init)
        switch frame {
        case .open?: return SockJSWebSocket(socket)
        case .close(let code, let reason)?: throw .closed(code: code, reason: reason)
        default: throw .protocolViolation(reason: "a session that is not opened")
        }
    }

    func send(_ text: String) async throws(SignalingChannelError) {
        try await self.socket.send(SockJSFrame.clientText([text]))
    }

    func receive() async throws(SignalingChannelError) -> String? {
        while true {
            let known = self.state.withLock { state -> Result<String?, SignalingChannelError>? in
                state.messages.popFirst().map { .success($0) } ?? state.end
            }
            if let known { return try known.get() }
            guard let text = try await self.socket.receive() else { return nil }
            guard !text.isEmpty else { continue }
            switch SockJSFrame(text) {
            case .messages(let messages)?: self.state.withLock { $0.messages = messages[...] }
            case .heartbeat?: break
            case .close(let code, let reason)?:
                let error = SockJSFrame.error(code: code, reason: reason)
                self.state.withLock { $0.end = error.map { .failure($0) } ?? .success(nil) }
            case .open?, nil:
                await self.socket.close(code: .protocolError)
                let error = SignalingChannelError.protocolViolation(reason: "no frame of SockJS")
                self.state.withLock { $0.end = .failure(error) }
            }
        }
    }

    func close() async { await self.socket.close() }
}
