internal import CRTCUsrsctp

extension UsrsctpAssociation {
    /// Reads one of usrsctp's notifications, and takes note of what it says of the association.
    func notification(_ bytes: UnsafeRawBufferPointer) -> SCTPNotification {
        guard bytes.count >= 8 else { return .other }
        switch Int32(bytes.loadUnaligned(as: UInt16.self)) {
        case SCTP_ASSOC_CHANGE:
            return self.associationChange(bytes)
        case SCTP_STREAM_RESET_EVENT:
            return self.streamReset(bytes)
        case SCTP_STREAM_CHANGE_EVENT:
            return self.streamChange(bytes)
        case SCTP_PARTIAL_DELIVERY_EVENT:
            return .partialMessageAborted
        default:
            return .other
        }
    }

    private func associationChange(_ bytes: UnsafeRawBufferPointer) -> SCTPNotification {
        guard bytes.count >= MemoryLayout<sctp_assoc_change>.size else { return .other }
        let change = bytes.loadUnaligned(as: sctp_assoc_change.self)
        switch Int32(change.sac_state) {
        case SCTP_COMM_UP:
            let abilities = bytes.dropFirst(MemoryLayout<sctp_assoc_change>.size)
            self.cameUp(
                outgoing: Int(change.sac_outbound_streams),
                incoming: Int(change.sac_inbound_streams),
                supportsReset: abilities.contains(UInt8(SCTP_ASSOC_SUPPORTS_RE_CONFIG))
            )
            return .up
        case SCTP_RESTART:
            return .restarted
        case SCTP_SHUTDOWN_COMP:
            return .shutdownComplete
        default:
            return .lost(cause: change.sac_error == 0 ? nil : Int(change.sac_error))
        }
    }

    private func streamReset(_ bytes: UnsafeRawBufferPointer) -> SCTPNotification {
        let header = MemoryLayout<sctp_stream_reset_event>.size
        guard bytes.count >= header else { return .other }
        let event = bytes.loadUnaligned(as: sctp_stream_reset_event.self)
        let streams = stride(from: header, to: bytes.count - 1, by: 2).map {
            bytes.loadUnaligned(fromByteOffset: $0, as: UInt16.self)
        }
        let flags = Int32(event.strreset_flags)
        if flags & SCTP_STREAM_RESET_INCOMING_SSN != 0 {
            return flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED) == 0
                ? .incomingStreamsReset(streams) : .other
        }
        if flags & SCTP_STREAM_RESET_OUTGOING_SSN == 0 { return .other }
        return flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED) == 0
            ? .outgoingStreamsReset(streams) : .outgoingStreamsResetRefused(streams)
    }

    private func streamChange(_ bytes: UnsafeRawBufferPointer) -> SCTPNotification {
        guard bytes.count >= MemoryLayout<sctp_stream_change_event>.size else { return .other }
        let event = bytes.loadUnaligned(as: sctp_stream_change_event.self)
        if Int32(event.strchange_flags) & (SCTP_STREAM_CHANGE_DENIED | SCTP_STREAM_CHANGE_FAILED) != 0 {
            return .addingStreamsRefused
        }
        self.streamsChanged(outgoing: Int(event.strchange_outstrms), incoming: Int(event.strchange_instrms))
        return .streamsAdded
    }
}

extension SCTPReliability {
    /// usrsctp's names for it.
    var policy: (UInt16, UInt32) {
        switch self {
        case .reliable: return (UInt16(SCTP_PR_SCTP_NONE), 0)
        case .retransmissions(let count): return (UInt16(SCTP_PR_SCTP_RTX), UInt32(count))
        case .lifetime(let milliseconds): return (UInt16(SCTP_PR_SCTP_TTL), UInt32(milliseconds))
        }
    }
}
