package import NIOCore
package import RTCBase
import RTCRTP

extension PeerSession {
    /// Whether a sender may play tones now (W3C webrtc-pc section 7.2, "determine if DTMF can be sent").
    package func canInsertDTMF(of id: TransceiverID) -> Bool {
        guard self.states.connection == .connected, let transceiver = self.jsep.transceiver(id),
            transceiver.sender.trackID != nil
        else { return false }
        return self.transceiverStates.first { $0.id == id }?.canCarryTones ?? false
    }

    /// Replaces the tones that a sender is to play (W3C webrtc-pc section 7.2, `insertDTMF`).
    ///
    /// - Throws: `RTCError.Code.invalidState` if it may not play any now, `RTCError.Code.invalidCharacter` for what is no tone,
    ///   `RTCError.Code.quotaExceeded` for more than 4,096 tones.
    package func insertDTMF(
        _ tones: String,
        duration: TimeAmount,
        gap: TimeAmount,
        of id: TransceiverID,
        now: NIODeadline
    ) throws(RTCError) {
        guard self.canInsertDTMF(of: id), let media = self.media, let sender = media.sender(id) else {
            throw RTCError(.invalidState, "tones cannot be sent now")
        }
        do {
            try media.insertTones(tones, duration: duration, gap: gap, of: sender, now: now)
        } catch {
            switch error {
            case .invalidCharacter(let character):
                throw RTCError(.invalidCharacter, "\(character) is no tone")
            case .tooManyTones:
                throw RTCError(.quotaExceeded, "at most \(TelephoneEventSender.maximumTones) tones can wait")
            }
        }
    }

    /// The tones of a sender that wait (W3C webrtc-pc section 7.2, `toneBuffer`).
    package func toneBuffer(of id: TransceiverID) -> String { self.media?.sender(id)?.tones?.toneBuffer ?? "" }
}

extension PeerSession.TransceiverState {
    /// Whether tones can be sent as far as the transceiver goes: its sender's track and the connection are left out.
    package var canCarryTones: Bool {
        guard self.kind == .audio, !self.isStopping else { return false }
        guard self.currentDirection == .sendrecv || self.currentDirection == .sendonly else { return false }
        return self.sendParameters.encodings.first?.active == true
            && self.sendParameters.codecs.contains { $0.codec.isNamed("telephone-event") }
    }
}
