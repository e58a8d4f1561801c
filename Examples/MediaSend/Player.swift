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
                    for (number, file) in files.enumerated() {
                        group.addTask { try? await self.play(file, number, on: connection) }
                    }
                }
                if event.endsConnection { break }
            }
            group.cancelAll()
        }
    }

    private static func play(_ file: String, _ number: Int, on connection: RTCPeerConnection) async throws {
        let playlist = try Playlist(path: file)
        let sources = playlist.formats.indices.map { index in
            connection.getSenders().lazy.compactMap(\.track?.source).first { $0.label == "\(number).\(index)" }
        }
        let start = ContinuousClock.now
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
    fileprivate init?(_ format: PayloadFormat) {
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
