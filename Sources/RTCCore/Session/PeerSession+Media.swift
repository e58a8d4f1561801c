import NIOCore
import RTCBase
package import RTCRTP
import RTCSDP

extension PeerSession {
    /// What a transceiver, its sender and its receiver show at one moment.
    package struct TransceiverState: Sendable, Equatable {
        package var id: TransceiverID
        package var kind: MediaKind
        package var mid: String?
        package var direction: RTCRtpTransceiverDirection
        package var currentDirection: RTCRtpTransceiverDirection?
        package var isStopping: Bool
        package var isStopped: Bool
        /// Whether its sender and receiver have a transport.
        package var hasTransport: Bool
        package var receiverTrackID: String
        /// The parameters of the sender; the transaction is the sender's affair.
        package var sendParameters: RTCRtpSendParameters
        package var receiveParameters: RTCRtpReceiveParameters
        package var headerExtensionsToNegotiate: [RTCRtpHeaderExtensionCapability]
        package var negotiatedHeaderExtensions: [RTCRtpHeaderExtensionCapability]
    }

    /// The transceivers that there are, in the order in which they were made.
    package var transceiverStates: [TransceiverState] {
        let negotiated = self.negotiatedMedia
        return self.jsep.transceivers.map { transceiver in
            self.state(of: transceiver, negotiated[transceiver.id])
        }
    }

    /// Grows with every change of ``transceiverStates``.
    package var transceiverRevision: UInt64 { self.jsep.mediaRevision }

    private func state(of transceiver: JSEPTransceiver, _ section: NegotiatedMedia.Section?) -> TransceiverState {
        var direction = RTCRtpTransceiverDirection(transceiver.direction)
        var current = transceiver.currentDirection.map { RTCRtpTransceiverDirection($0) }
        if transceiver.isStopping || self.isClosed { direction = .stopped }
        if transceiver.isStopped || self.isClosed { current = .stopped }
        return TransceiverState(
            id: transceiver.id,
            kind: transceiver.kind,
            mid: transceiver.mid,
            direction: direction,
            currentDirection: current,
            isStopping: transceiver.isStopping || self.isClosed,
            isStopped: transceiver.isStopped || self.isClosed,
            hasTransport: transceiver.hasTransport,
            receiverTrackID: transceiver.receiver.trackID,
            sendParameters: self.sendParameters(of: transceiver, section),
            receiveParameters: Self.receiveParameters(section),
            headerExtensionsToNegotiate: transceiver.headerExtensions,
            negotiatedHeaderExtensions: Self.negotiatedExtensions(transceiver, section)
        )
    }

    private func sendParameters(
        of transceiver: JSEPTransceiver,
        _ section: NegotiatedMedia.Section?
    ) -> RTCRtpSendParameters {
        var parameters = RTCRtpSendParameters(
            transactionId: "",
            encodings: transceiver.sender.encodings.map(\.parameters)
        )
        parameters.degradationPreference = transceiver.sender.degradationPreference
        parameters.rtcp = RTCRtcpParameters(
            cname: self.jsep.cname,
            reducedSize: section?.isReducedSizeRTCP ?? false
        )
        guard let section else { return parameters }
        parameters.headerExtensions = section.send.headerExtensions.parameters
        parameters.codecs = section.send.formats.parameters(section.kind)
        return parameters
    }

    private static func receiveParameters(_ section: NegotiatedMedia.Section?) -> RTCRtpReceiveParameters {
        var parameters = RTCRtpReceiveParameters()
        guard let section else { return parameters }
        parameters.rtcp = RTCRtcpParameters(
            cname: section.receive.sources.first?.cname ?? "",
            reducedSize: section.isReducedSizeRTCP
        )
        parameters.headerExtensions = section.receive.headerExtensions.parameters
        parameters.codecs = section.receive.formats.parameters(section.kind)
        return parameters
    }

    private static func negotiatedExtensions(
        _ transceiver: JSEPTransceiver,
        _ section: NegotiatedMedia.Section?
    ) -> [RTCRtpHeaderExtensionCapability] {
        transceiver.headerExtensions.map { capability in
            let kind = HeaderExtensionKind(uri: capability.uri)
            let sends = kind.flatMap { section?.send.headerExtensions[$0] } != nil
            let receives = kind.flatMap { section?.receive.headerExtensions[$0] } != nil
            let direction = SDPDirection(sends: sends, receives: receives)
            return RTCRtpHeaderExtensionCapability(
                uri: capability.uri,
                direction: direction == .inactive ? .stopped : RTCRtpTransceiverDirection(direction)
            )
        }
    }
}

// MARK: - What descriptions bring about

extension PeerSession {
    /// W3C webrtc-pc section 4.4.1.5: after the signaling state, in this order.
    func tell(_ changes: JSEPMediaChanges) {
        for transceiver in changes.muted { self.emit(.trackMuted(transceiver)) }
        for change in changes.removed { self.emit(.streamTrackRemoved(stream: change.stream, change.transceiver)) }
        for change in changes.added { self.emit(.streamTrackAdded(stream: change.stream, change.transceiver)) }
        for track in changes.tracks { self.emit(.track(track.transceiver, streams: track.streams)) }
    }

    /// Tells the media plane when what is settled has changed.
    func updateNegotiatedMedia() {
        let media = self.jsep.negotiatedMedia
        guard media != self.negotiatedMedia else { return }
        self.jsep.mediaRevision &+= 1
        self.negotiatedMedia = media
        self.isMediaStale = true
    }

    /// Media of a track arrives, after none did: the track is muted no more (W3C webrtc-pc section 5.3).
    func mediaArrives(for id: TransceiverID) {
        guard let transceiver = self.jsep.transceiver(id), transceiver.receiver.isMuted, transceiver.isReceptive,
            !transceiver.receiver.hasEnded
        else { return }
        self.jsep.withTransceiver(id) { $0.receiver.isMuted = false }
        self.emit(.trackUnmuted(id))
    }
}

extension RTCRtpTransceiverDirection {
    init(_ direction: SDPDirection) {
        switch direction {
        case .sendrecv: self = .sendrecv
        case .sendonly: self = .sendonly
        case .recvonly: self = .recvonly
        case .inactive: self = .inactive
        }
    }
}

extension NegotiatedMedia.HeaderExtensions {
    /// The extensions as W3C's parameters name them.
    fileprivate var parameters: [RTCRtpHeaderExtensionParameters] {
        self.all.map { RTCRtpHeaderExtensionParameters(uri: $0.kind.uri, id: UInt16($0.id)) }
    }
}

extension NegotiatedMedia.Formats {
    /// The formats as W3C's parameters name them: the media proper, each with its retransmission, then the rest.
    fileprivate func parameters(_ kind: MediaKind) -> [RTCRtpCodecParameters] {
        var list: [RTCRtpCodecParameters] = []
        for codec in self.codecs {
            list.append(RTCRtpCodecParameters(payloadType: codec.payloadType, codec: codec.codec))
            guard let rtx = codec.rtx else { continue }
            let format = RTCRtpCodec(
                mimeType: "\(kind.rawValue)/rtx",
                clockRate: codec.codec.clockRate,
                sdpFmtpLine: "apt=\(codec.payloadType)"
            )
            list.append(RTCRtpCodecParameters(payloadType: rtx, codec: format))
        }
        for redundancy in self.red {
            let parameters = redundancy.carries.map(\.description).joined(separator: "/")
            let format = RTCRtpCodec(
                mimeType: "audio/red",
                clockRate: 48_000,
                channels: 2,
                sdpFmtpLine: parameters
            )
            list.append(RTCRtpCodecParameters(payloadType: redundancy.payloadType, codec: format))
        }
        if let flexFEC {
            let format = RTCRtpCodec(mimeType: "video/flexfec-03", clockRate: 90_000)
            list.append(RTCRtpCodecParameters(payloadType: flexFEC, codec: format))
        }
        for (name, formats) in [("telephone-event", self.telephoneEvents), ("CN", self.comfortNoise)] {
            for (clockRate, payloadType) in formats.sorted(by: { $0.key > $1.key }) {
                let format = RTCRtpCodec(mimeType: "audio/\(name)", clockRate: clockRate, channels: 1)
                list.append(RTCRtpCodecParameters(payloadType: payloadType, codec: format))
            }
        }
        return list
    }
}
