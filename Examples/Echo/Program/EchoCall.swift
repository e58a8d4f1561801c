import ExampleSupport
import NIOCore
import WebRTC

/// One connection to an echo server: offers over HTTP, sends messages and checks what comes back.
struct EchoCall: Sendable {
    let url: HTTPURL
    let messages: Int
    let size: Int

    /// Does it all within `timeout`.
    func run(timeout: Duration) async throws -> RoundTrips {
        try await withThrowingTaskGroup(of: RoundTrips.self) { group in
            group.addTask { try await self.call() }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw ExampleFailure("the messages did not come back within \(timeout)")
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    private func call() async throws -> RoundTrips {
        var policy = RTCAddressPolicy.defaults
        // The server may be on this machine.
        policy.includesLoopback = true
        let connection = try RTCPeerConnection(addressPolicy: policy)
        return try await withTaskCancellationHandler {
            do {
                let trips = try await self.call(through: connection)
                await connection.close()
                return trips
            } catch {
                await connection.close()
                throw error
            }
        } onCancel: {
            // Ends whatever waits for the connection.
            Task { await connection.close() }
        }
    }

    private func call(through connection: RTCPeerConnection) async throws -> RoundTrips {
        let channel = try await connection.createDataChannel("echo")
        try await connection.setLocalDescription()
        let answer = try await OfferClient.answer(to: try await connection.gatheredDescription(), from: self.url)
        try await connection.setRemoteDescription(answer)
        return try await withThrowingTaskGroup(of: RoundTrips.self) { group in
            group.addTask { try await self.echo(through: channel) }
            group.addTask {
                for await event in connection.events {
                    if case .connectionStateChange(.failed) = event { break }
                }
                try Task.checkCancellation()
                throw ExampleFailure(
                    "the connection failed: no way to the server's UDP port was found, or it went away"
                )
            }
            defer {
                group.cancelAll()
                channel.abort()
            }
            guard let trips = try await group.next() else { throw CancellationError() }
            channel.close()
            await channel.waitUntilClosed()
            return trips
        }
    }

    private func echo(through channel: RTCDataChannel) async throws -> RoundTrips {
        try await channel.waitUntilOpen()
        var echoes = channel.messages.makeAsyncIterator()
        var times: [TimeAmount] = []
        times.reserveCapacity(self.messages)
        for number in 0..<self.messages {
            let message = EchoMessage.make(number: number, size: self.size)
            let start = NIODeadline.now()
            try await channel.send(message)
            guard let echo = try await echoes.next() else {
                throw ExampleFailure("the channel was closed before message \(number) came back")
            }
            times.append(NIODeadline.now() - start)
            guard echo.kind == message.kind else {
                throw ExampleFailure("message \(number) came back as \(echo.kind), was sent as \(message.kind)")
            }
            guard echo.bytes == message.bytes else { throw ExampleFailure("message \(number) came back altered") }
        }
        return RoundTrips(times, size: self.size)
    }
}
