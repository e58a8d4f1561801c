internal import CRTCUsrsctp

extension UsrsctpAssociation {
    /// Sets all options of a new socket.
    ///
    /// - Returns: 0, or the error number of an option that cannot be done without.
    func configure(_ socket: OpaquePointer, outgoingStreams: Int, maximumIncomingStreams: Int) -> Int32 {
        let tuning = self.configuration.tuning
        self.set(socket, SOL_SOCKET, SO_SNDBUF, Int32(clamping: max(self.configuration.sendBuffer, 65_536)))
        self.set(socket, SOL_SOCKET, SO_RCVBUF, Int32(clamping: max(self.configuration.receiveBuffer, 65_536)))
        self.set(socket, SCTP_NODELAY, Int32(1))
        self.set(socket, SCTP_RECVRCVINFO, Int32(1))
        self.set(socket, SCTP_FRAGMENT_INTERLEAVE, Int32(0))
        self.set(socket, SCTP_PARTIAL_DELIVERY_POINT, self.partialDeliveryPoint)
        self.setTimers(socket, tuning)
        self.set(
            socket,
            SCTP_MAX_BURST,
            sctp_assoc_value(assoc_id: 0, assoc_value: UInt32(clamping: tuning.maximumBurst))
        )
        if tuning.maximumCongestionWindow > 0 {
            let limit = UInt32(clamping: tuning.maximumCongestionWindow)
            self.set(socket, SCTP_MAX_CWND, sctp_assoc_value(assoc_id: 0, assoc_value: limit))
        }
        self.setCongestionControl(socket, tuning.congestionControl)
        self.setPath(socket, tuning)

        let streams = sctp_initmsg(
            sinit_num_ostreams: UInt16(clamping: max(1, outgoingStreams)),
            sinit_max_instreams: UInt16(clamping: max(1, maximumIncomingStreams)),
            sinit_max_attempts: UInt16(clamping: tuning.maximumInitAttempts),
            sinit_max_init_timeo: UInt16(clamping: min(tuning.maximumRTOMilliseconds, 3_000))
        )
        let resets = sctp_assoc_value(
            assoc_id: UInt32(SCTP_ALL_ASSOC),
            assoc_value: UInt32(SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ)
        )
        for failure in [self.set(socket, SCTP_INITMSG, streams), self.set(socket, SCTP_ENABLE_STREAM_RESET, resets)]
        where failure != 0 {
            return failure
        }
        let events = [
            SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_STREAM_CHANGE_EVENT, SCTP_PARTIAL_DELIVERY_EVENT,
        ]
        for event in events {
            let failure = crtc_usrsctp_subscribe(socket, UInt16(event))
            if failure != 0 { return failure }
        }
        return 0
    }

    /// Messages that are allowed arrive whole; larger ones begin to be read when they have outgrown that.
    private var partialDeliveryPoint: UInt32 {
        let limit = self.configuration.receiveBuffer / 2
        return UInt32(clamping: max(1_024, min(self.configuration.maximumMessageSize + 1, limit)))
    }

    private func setTimers(_ socket: OpaquePointer, _ tuning: SCTPConfiguration.Tuning) {
        self.setRetransmissionTimeouts(socket, isBulk: false)
        let sack = sctp_sack_info(
            sack_assoc_id: 0,
            sack_delay: UInt32(clamping: min(max(tuning.sackDelayMilliseconds, 1), 500)),
            sack_freq: UInt32(clamping: max(tuning.sackFrequency, 1))
        )
        self.set(socket, SCTP_DELAYED_SACK, sack)
        var association = sctp_assocparams()
        association.sasoc_asocmaxrxt = UInt16(clamping: max(tuning.maximumRetransmissions, 1))
        self.set(socket, SCTP_ASSOCINFO, association)
    }

    func setRetransmissionTimeouts(_ socket: OpaquePointer, isBulk: Bool) {
        let tuning = self.configuration.tuning
        let minimum = isBulk ? tuning.minimumBulkRTOMilliseconds : tuning.minimumRTOMilliseconds
        let maximum = max(tuning.maximumRTOMilliseconds, 1_000)
        let rto = sctp_rtoinfo(
            srto_assoc_id: 0,
            srto_initial: UInt32(clamping: min(max(tuning.initialRTOMilliseconds, minimum, 10), maximum)),
            srto_max: UInt32(clamping: maximum),
            srto_min: UInt32(clamping: min(max(minimum, 10), maximum))
        )
        self.set(socket, SCTP_RTOINFO, rto)
    }

    private func setCongestionControl(
        _ socket: OpaquePointer,
        _ algorithm: SCTPConfiguration.Tuning.CongestionControl
    ) {
        let number: Int32
        switch algorithm {
        case .standard: number = SCTP_CC_RFC2581
        case .highSpeed: number = SCTP_CC_HSTCP
        case .hTCP: number = SCTP_CC_HTCP
        case .roundTripTime: number = SCTP_CC_RTCC
        }
        self.set(socket, crtc_pluggable_cc, sctp_assoc_value(assoc_id: 0, assoc_value: UInt32(number)))
    }

    private func setPath(_ socket: OpaquePointer, _ tuning: SCTPConfiguration.Tuning) {
        var path = sctp_paddrparams()
        // usrsctp does not count the common header (RFC 9260 section 3.1) on this kind of path.
        path.spp_pathmtu = UInt32(min(max(self.configuration.maximumPacketSize, 512), 65_535) - 12)
        path.spp_flags = UInt32(SPP_PMTUD_DISABLE)
        path.spp_pathmaxrxt = UInt16(clamping: max(tuning.maximumRetransmissions, 1))
        path.spp_hbinterval = UInt32(clamping: tuning.heartbeatMilliseconds)
        path.spp_flags |= UInt32(tuning.heartbeatMilliseconds > 0 ? SPP_HB_ENABLE : SPP_HB_DISABLE)
        self.set(socket, SCTP_PEER_ADDR_PARAMS, path)
    }

    @discardableResult
    func set<Value>(_ socket: OpaquePointer, _ option: Int32, _ value: Value) -> Int32 {
        self.set(socket, Int32(IPPROTO_SCTP), option, value)
    }

    @discardableResult
    private func set<Value>(_ socket: OpaquePointer, _ level: Int32, _ option: Int32, _ value: Value) -> Int32 {
        withUnsafeBytes(of: value) {
            crtc_usrsctp_set(socket, level, option, $0.baseAddress, $0.count)
        }
    }
}
