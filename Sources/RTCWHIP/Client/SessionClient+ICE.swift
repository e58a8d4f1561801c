import Logging
import RTCBase
import RTCCore
import RTCSDP
import RTCSignaling
import WebRTC

// MARK: - Candidates

extension SessionClient {
    /// How long to wait for candidates that come together: one request is for many (RFC 9725 section 4.3.2).
    private static let batchTime = Duration.milliseconds(20)

    /// Sees to it that the server learns the candidates that wait; until there is a session to tell of them they go on waiting.
    func flushCandidates() {
        guard self.phase == .open, !self.isTrickling, !self.isRestarting, !self.candidates.isEmpty else { return }
        self.isTrickling = true
        Task { await self.trickle() }
    }

    private func trickle() async {
        defer { self.isTrickling = false }
        try? await self.configuration.clock.sleep(for: Self.batchTime)
        while self.phase == .open, !self.isRestarting, !self.candidates.isEmpty {
            guard let resource = self.resource, let local = self.localSession,
                let ufrag = local.trickle?.credentials?.ufrag
            else { return }
            let trickle = self.candidates.take(ufrag: ufrag)
            // They may have been of a session before.
            guard !trickle.candidates.isEmpty || trickle.isComplete else { continue }
            var headers: SignalingHeaders = ["content-type": MediaType.fragment]
            if let tag = self.tag { headers.add("if-match", tag.text) }
            // Who takes none finds this side by its checks; who knows another ICE session by now hears of it from the restart.
            let reply = try? await self.http.send(
                "PATCH",
                to: resource,
                headers: headers,
                body: local.fragment(with: trickle)
            )
            if let reply, !reply.isSuccess {
                self.configuration.logger?.debug("candidates were refused", metadata: ["status": "\(reply.status)"])
            }
        }
    }

    private var localSession: SDPSession? {
        (self.connection?.localDescription).flatMap { try? SDPSession(parsing: $0.sdp) }
    }
}

// MARK: - Restarts

extension SessionClient {
    /// Restarts ICE at both sides (RFC 9725 section 4.3.3).
    func restartICE() async throws(WHIPClientError) {
        guard self.phase == .open, !self.isRestarting, let connection = self.connection, let resource = self.resource
        else { throw .invalidState }
        self.isRestarting = true
        defer {
            self.isRestarting = false
            self.flushCandidates()
        }
        try await Self.negotiate {
            let offer = try await connection.createOffer(RTCOfferOptions(iceRestart: true))
            try await connection.setLocalDescription(offer)
        }
        do throws(WHIPClientError) {
            try await self.exchangeICE(connection, resource)
        } catch {
            // The session before goes on as long as it can.
            if connection.signalingState == .haveLocalOffer {
                try? await connection.setLocalDescription(RTCSessionDescription(type: .rollback))
            }
            throw error
        }
        self.tell(.restarted)
    }

    private func exchangeICE(_ connection: RTCPeerConnection, _ resource: URLReference) async throws(WHIPClientError) {
        let offer = await connection.gatheredDescription(
            within: self.configuration.gatheringTimeout,
            self.configuration.clock
        )
        guard let offer, let local = try? SDPSession(parsing: offer.sdp), let trickle = local.trickle else {
            throw .invalidState
        }
        self.candidates.note(trickle)
        let reply = try await self.http.send(
            "PATCH",
            to: resource,
            headers: ["content-type": MediaType.fragment, "if-match": "*"],
            body: local.fragment(with: trickle)
        )
        guard reply.isSuccess else { throw reply.error }
        guard reply.type == MediaType.fragment, let fresh = try? TrickleFragment(parsing: reply.text),
            fresh.credentials != nil
        else { throw .badResponse(reason: "a restart is answered with a fragment with credentials") }
        guard let remote = connection.currentRemoteDescription, let session = try? SDPSession(parsing: remote.sdp)
        else {
            throw .invalidState
        }
        var answer = session.restarted(with: fresh)
        if remote.type == .offer, let setup = connection.currentLocalDescription?.settledSetup {
            // The roles in DTLS stay as they are.
            answer = answer.with(setup: setup == .active ? .passive : .active)
        }
        try await Self.negotiate {
            try await connection.setRemoteDescription(RTCSessionDescription(type: .answer, sdp: answer.description))
        }
        self.tag = reply.tag
    }

    /// Restarts ICE until the path is there again, the server refuses, or it was tried often enough.
    func recover() {
        guard self.phase == .open || self.phase == .opening, !self.isRecovering else { return }
        self.isRecovering = true
        Task {
            await self.recoverNow()
            self.isRecovering = false
        }
    }

    private func recoverNow() async {
        var delay = Duration.seconds(1)
        while self.phase == .open, self.isLost, self.configuration.restartsICE,
            self.restarts < self.configuration.restartAttempts
        {
            self.restarts += 1
            do throws(WHIPClientError) {
                // What becomes of it is told by the next event.
                return try await self.restartICE()
            } catch {
                self.configuration.logger?.debug("no restart", metadata: ["error": "\(error)"])
                // Without a session there is nothing to be restarted; other refusals may be for a while.
                if case .refused(404, _) = error { return await self.finish(.endedByServer, tellsServer: false) }
                if case .refused(410, _) = error { return await self.finish(.endedByServer, tellsServer: false) }
            }
            try? await self.configuration.clock.sleep(for: delay)
            delay = delay * 2
        }
        if self.connection?.connectionState == .failed { await self.finish(.connectionFailed, tellsServer: true) }
    }

    private var isLost: Bool {
        self.connection?.connectionState == .disconnected || self.connection?.connectionState == .failed
    }
}

extension RTCSessionDescription {
    /// The role in DTLS that an answer has settled; nil where it is open.
    fileprivate var settledSetup: SDPSetup? {
        guard let session = try? SDPSession(parsing: self.sdp), let index = session.transportIndex else { return nil }
        let setup = session.setup(of: index)
        return setup == .active || setup == .passive ? setup : nil
    }
}
