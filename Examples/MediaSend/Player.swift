import ExampleSupport
import RTCMediaFiles
import WebRTC

/// Plays files on one connection.
enum Player {
    /// Gives every track of the files a sender, as far as the offer has room for them.
    static func attach(_ files: [String], to connection: RTCPeerConnection) async throws {
        var free = connection.getTransceivers().filter { $0.sender.track == nil && $0.direction != .stopped }
        for (number, file) in files.enumerated() {
            for (index, format) in try Playlist(path: file).formats.enumerated() {
                guard let position = free.firstIndex(where: { $0.kind == format.kind }),
                    let codec = RTCRtpCodec(format)
                else { continue }
                let transceiver = free.remove(at: position)
                let source = MediaStreamTrackSource(kind: format.kind, label: "\(number).\(index)")
                try await transceiver.setCodecPreferences(transceiver.codecs(preferring: codec))
                try await transceiver.sender.replaceTrack(MediaStreamTrack(source: source))
                try await transceiver.setDirection(.sendonly)
            }
        }
    }

    /// Plays until the peer is gone.
    static func serve(_ files: [String], on connection: RTCPeerConnection) async {
        await withTaskGroup(of: Void.self) { group in
            for await event in connection.events {
                if case .connectionStateChange(.connected) = event {
                    group.addTask { try? await self.play(files, on: connection, repeats: true) }
                }
                if event.endsConnection { break }
            }
            group.cancelAll()
        }
    }

    /// Offers the files to a server and plays them once.
    static func call(_ server: HTTPURL, with files: [String]) async throws {
        var policy = RTCAddressPolicy.defaults
        // The server may be on this machine.
        policy.includesLoopback = true
        let connection = try RTCPeerConnection(addressPolicy: policy)
        do {
            for format in try files.flatMap({ try Playlist(path: $0).formats }) {
                try await connection.addTransceiver(format.kind, RTCRtpTransceiverInit(direction: .sendonly))
            }
            try await self.attach(files, to: connection)
            try await connection.setLocalDescription()
            let offer = try await connection.gatheredDescription()
            try await connection.setRemoteDescription(try await OfferClient.answer(to: offer, from: server))
            for await event in connection.events {
                if case .connectionStateChange(.connected) = event { break }
                if event.endsConnection { throw ExampleFailure("no way to the server's UDP port was found") }
            }
            try await self.play(files, on: connection, repeats: false)
            // What was lost of the end may be asked for again.
            try await Task.sleep(for: .seconds(1))
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    static func play(_ files: [String], on connection: RTCPeerConnection, repeats: Bool) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, file) in files.enumerated() {
                group.addTask { try await self.play(file, number, on: connection, from: start, repeats: repeats) }
            }
            try await group.waitForAll()
        }
    }

    private static func play(
        _ file: String,
        _ number: Int,
        on connection: RTCPeerConnection,
        from start: ContinuousClock.Instant,
        repeats: Bool
    ) async throws {
        let playlist = try Playlist(path: file, repeats: repeats)
        let sources = playlist.formats.indices.map { index in
            connection.getSenders().lazy.compactMap(\.track?.source).first { $0.label == "\(number).\(index)" }
        }
        while let (frame, time) = try playlist.next() {
            try await Task.sleep(until: start + time, clock: .continuous)
            guard let source = sources[frame.track], let codec = RTCRtpCodec(playlist.formats[frame.track]) else {
                continue
            }
            source.write(
                RTCEncodedFrame(
                    data: frame.frame.payload,
                    timestamp: playlist.timestamp(of: frame),
                    isKeyFrame: frame.frame.isKeyFrame,
                    codec: codec
                )
            )
        }
    }
}

extension RTCRtpCodec {
    /// The first codec that can be sent in a format.
    init?(_ format: PayloadFormat) {
        let codecs = RTCRtpSender.getCapabilities(format.kind).codecs
        guard let codec = codecs.first(where: { PayloadFormat(RTPCodecName(rawValue: $0.name)) == format }) else {
            return nil
        }
        self = codec
    }
}

extension RTCRtpTransceiver {
    /// All codecs of a name, and what goes with them.
    fileprivate func codecs(preferring codec: RTCRtpCodec) -> [RTCRtpCodec] {
        RTCRtpSender.getCapabilities(self.kind).codecs.filter { $0.name == codec.name || $0.name == "rtx" }
    }
}
