import ExampleSupport
import RTCMedia
import RTCMediaFiles
import WebRTC

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// One peer's recording.
actor Recording {
    private let writer: MediaFileWriter
    private let name: String
    private var timelines: [TrackTimeline]
    private var frameCount = 0
    private var hasFailed = false
    /// Times count from an hour before the recording, so that none is negative.
    private let origin = Recording.wallClock - 3_600_000_000_000

    private init(name: String, container: MediaContainer, formats: [PayloadFormat]) throws {
        self.name = name
        self.timelines = formats.map { TrackTimeline(clockRate: UInt32($0.clockRate)) }
        self.writer = try MediaFileWriter(
            path: name,
            container: container,
            tracks: formats.map { MediaFileTrack(format: $0) }
        )
    }

    /// Takes one codec of each kind, one that the container can hold.
    static func prepare(_ connection: RTCPeerConnection, _ container: MediaContainer) async throws {
        for transceiver in connection.getTransceivers() {
            let codecs = RTCRtpReceiver.getCapabilities(transceiver.kind).codecs
            guard let name = codecs.first(where: { container.holds($0) })?.name else { continue }
            try await transceiver.setCodecPreferences(codecs.filter { $0.name == name || $0.name == "rtx" })
        }
    }

    /// Records until `end` returns: the peer is gone.
    static func serve(
        _ connection: RTCPeerConnection,
        _ container: MediaContainer,
        _ names: RecordingNames,
        until end: @Sendable () async -> Void
    ) async {
        let receivers = connection.getTransceivers().filter { $0.currentDirection != .inactive }.map(\.receiver)
        let formats = receivers.compactMap { receiver in
            receiver.getParameters().codecs.lazy.compactMap { PayloadFormat(RTPCodecName(rawValue: $0.codec.name)) }
                .first
        }
        guard !formats.isEmpty, formats.count == receivers.count else { return }
        do {
            let recording = try Recording(name: names.next(), container: container, formats: formats)
            await recording.record(connection, receivers, until: end)
        } catch {
            StandardOutput.write("A peer is not recorded: \(error)")
        }
    }

    private func record(
        _ connection: RTCPeerConnection,
        _ receivers: [RTCRtpReceiver],
        until end: @Sendable () async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for (track, receiver) in receivers.enumerated() {
                let frames = receiver.frames(limit: 1024)
                group.addTask {
                    for await frame in frames { await self.write(frame, track) }
                }
            }
            await end()
            await connection.close()
        }
        self.close()
    }

    private func write(_ frame: RTCEncodedFrame, _ track: Int) {
        guard !self.hasFailed else { return }
        do {
            for (frame, nanoseconds) in self.timelines[track].add(frame, wallClock: Self.wallClock) {
                let encoded = EncodedFrame(
                    payload: frame.data,
                    timestamp: frame.timestamp,
                    isKeyFrame: frame.isKeyFrame
                )
                try self.writer.write(encoded, track: track, time: .nanoseconds(nanoseconds - self.origin))
                self.frameCount += 1
            }
        } catch {
            self.hasFailed = true
            StandardOutput.write("\(self.name) cannot be written: \(error)")
        }
    }

    private func close() {
        do {
            try self.writer.close()
            StandardOutput.write("Recorded \(self.name): \(self.frameCount) frames")
        } catch {
            StandardOutput.write("\(self.name) cannot be completed: \(error)")
        }
    }

    private static var wallClock: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension MediaContainer {
    /// Whether the container can hold frames of a codec.
    fileprivate func holds(_ codec: RTCRtpCodec) -> Bool {
        PayloadFormat(RTPCodecName(rawValue: codec.name)).map { self.formats.contains($0) } ?? false
    }
}
