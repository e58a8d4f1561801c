import ExampleSupport
import NIOSSL
import RTCMediaFiles
import RTCWHIP
import WebRTC

/// Files on their way to a WHIP server.
struct Publication {
    private let files: [String]
    private let repeats: Bool

    init(_ files: [String], repeats: Bool) {
        self.files = files
        self.repeats = repeats
    }

    /// Publishes the files to an endpoint until their end, a signal, or the end of the session.
    func run(to url: String, token: String?, tls: TLSConfiguration) async throws {
        let signal = TerminationSignal()
        var configuration = WHIPClientConfiguration()
        configuration.token = token
        configuration.exchange = AsyncHTTPExchange(tls: tls)
        // The server may be on this machine.
        configuration.addressPolicy.includesLoopback = true
        let client = WHIPClient(url: url, configuration: configuration)
        let connection = try await client.publish(try self.tracks(), codecs: try self.codecs())
        StandardOutput.write("Published to \(url)")
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask { await self.play(on: connection, client) }
            group.addTask {
                await signal.wait()
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        await client.stop()
        if let failure { throw failure }
    }

    /// Plays once there is a connection; gives what went wrong.
    private func play(on connection: RTCPeerConnection, _ client: WHIPClient) async -> (any Error)? {
        await withTaskGroup(of: (any Error)?.self) { group in
            for await event in client.events {
                switch event {
                case .connectionStateChange(.connected):
                    guard group.isEmpty else { continue }
                    group.addTask {
                        do {
                            try await Player.play(self.files, on: connection, repeats: self.repeats)
                            // What was lost of the end may be asked for again.
                            try await Task.sleep(for: .seconds(1))
                            await client.stop()
                            return nil
                        } catch is CancellationError {
                            return nil
                        } catch {
                            await client.stop()
                            return error
                        }
                    }
                case .ended(let error):
                    group.cancelAll()
                    let failure = await group.next() ?? nil
                    return failure ?? error
                case .connectionStateChange, .restarted: continue
                }
            }
            return nil
        }
    }

    /// A track for each of the files, labelled as the player knows it.
    private func tracks() throws -> [MediaStreamTrack] {
        try self.files.enumerated().flatMap { number, file in
            try Playlist(path: file).formats.enumerated().map { index, format in
                MediaStreamTrack(source: MediaStreamTrackSource(kind: format.kind, label: "\(number).\(index)"))
            }
        }
    }

    private func codecs() throws -> [String] {
        try self.files.flatMap { try Playlist(path: $0).formats }.compactMap { RTCRtpCodec($0)?.name }
    }
}
