package import WebRTC

/// Passes on what a peer sends to other peers, packet by packet: nothing is decoded or encoded.
package enum MediaForwarding {
    /// A source that `receiver` feeds; its packet handler is taken for that. Whoever gets a track of the source asks the sender itself
    /// for key frames.
    ///
    /// - Parameter encodings: How many of the encodings of simulcast are passed on, from the first; each keeps its number.
    package static func source(
        fedBy receiver: RTCRtpReceiver,
        label: String,
        encodings: Int = 1
    ) -> MediaStreamTrackSource {
        let source = MediaStreamTrackSource(kind: receiver.track.kind, label: label)
        source.setFeedbackHandler { feedback in
            // Nothing is encoded here: whoever sends the picture must make it new.
            if case .keyFrameRequest(let encoding) = feedback { receiver.requestKeyFrame(encoding: encoding) }
        }
        receiver.setPacketHandler { packet in
            if packet.encoding < encodings { source.write(packet, encoding: packet.encoding) }
        }
        return source
    }
}
