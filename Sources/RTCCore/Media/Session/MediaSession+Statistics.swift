import NIOCore
import RTCRTP

extension MediaSession {
    /// A sender has another track: its frames are counted anew.
    func sourceChanged(of id: TransceiverID) {
        for stream in self.sender(id)?.streams ?? [] { stream.source = SourceCounts() }
    }

    /// Adds what is measured of media to a report (W3C webrtc-stats).
    ///
    /// - Parameters:
    ///   - timestamp: The time of day of `now`, in milliseconds since 1970.
    ///   - tracks: The tracks of each transceiver; `nil` for those whose streams are over.
    func appendStatistics(
        to report: inout RTCStatsReport,
        now: NIODeadline,
        timestamp: Double,
        tracks: (TransceiverID) -> MediaReport.Tracks?
    ) {
        var media = MediaReport(report: report, now: now, timestamp: timestamp)
        for sender in self.senders {
            if let tracks = tracks(sender.id) { media.append(sender, tracks) }
        }
        for receiver in self.receivers {
            if let tracks = tracks(receiver.id) { media.append(receiver, tracks) }
        }
        report = media.report
    }
}
