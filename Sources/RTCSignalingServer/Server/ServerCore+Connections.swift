import Logging
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import NIOSSL

/// How connections begin and end.
extension ServerCore {
    /// Makes a new connection ready.
    func accept(_ channel: any Channel) throws {
        guard self.add(channel) else { return }
        try self.configuration.prepareConnection?(channel)
        guard let tls = self.configuration.tls else { return try self.addHTTP1(to: channel) }
        let hasHTTP2 = self.configuration.http2.isEnabled
        let ssl = NIOSSLServerHandler(
            context: tls.context(hasHTTP2: hasHTTP2),
            customVerificationCallback: nil,
            configuration: .init()
        )
        let chooser = ALPNHandler(
            timeout: self.configuration.headTimeout,
            timedOut: { self.refused(.headTimeout) },
            configure: { isHTTP2 in
                if isHTTP2, hasHTTP2 { try self.addHTTP2(to: channel) } else { try self.addHTTP1(to: channel) }
            }
        )
        try channel.pipeline.syncOperations.addHandlers([ssl, chooser] as [any ChannelHandler])
    }

    private func addHTTP1(to channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let http = HTTPConnection(core: self)
        let meter = HTTPInputMeter(http, core: self)
        let upgrader = WebSocketUpgrader(core: self, eventLoop: self.eventLoop)
        let bound = NIOLoopBound((http: http, meter: meter), eventLoop: self.eventLoop)
        try pipeline.addHandler(meter)
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: true,
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value.http, promise: nil)
                    context.pipeline.syncOperations.removeHandler(bound.value.meter, promise: nil)
                }
            ),
            withErrorHandling: true
        )
        try pipeline.addHandler(http)
    }

    private func addHTTP2(to channel: any Channel) throws {
        let limits = self.configuration.http2
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.maximumConcurrentStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: self.configuration.maximumHeadSize),
        ]
        if limits.hasWebSockets {
            connection.initialSettings.append(HTTP2Setting(parameter: .enableConnectProtocol, value: 1))
        }
        connection.controlFrameRateLimit.maximumCount = limits.maximumControlFrames
        // Answers to a client that takes none of them.
        connection.maximumBufferedControlFrames = 1000
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = limits.maximumStreamResets
        stream.outboundBufferSizeHighWatermark = 64 << 10
        stream.outboundBufferSizeLowWatermark = 32 << 10
        let http2 = HTTP2Connection(core: self)
        let bound = NIOLoopBound((core: self, connection: http2), eventLoop: self.eventLoop)
        let pipeline = channel.pipeline.syncOperations
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server,
            connectionConfiguration: connection,
            streamConfiguration: stream,
            streamDelegate: HTTP2StreamCounter(connection: NIOLoopBound(http2, eventLoop: self.eventLoop))
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let (core, connection) = bound.value
                try stream.pipeline.syncOperations.addHandler(HTTP2Stream(core: core, connection: connection))
            }
        }
        try pipeline.addHandler(http2)
    }

    /// Makes a new connection of plain STOMP ready.
    func acceptSTOMP(_ channel: any Channel, _ service: STOMPService) throws {
        guard let driver = self.stomp(service), self.add(channel) else { return }
        try self.configuration.prepareConnection?(channel)
        try channel.pipeline.syncOperations.addHandler(STOMPHandler(driver))
    }

    /// Notes a connection until it is closed; closes it and says false if there is no room for it.
    private func add(_ channel: any Channel) -> Bool {
        guard let refusal = self.isDraining ? .draining : self.connections.add(channel) else { return true }
        self.refused(refusal)
        channel.close(promise: nil)
        return false
    }

    // MARK: The end

    /// Ends everything in its own words, and calls `done` when all have taken their leave.
    ///
    /// - Parameter done: Whether some had to be cut off, because the time was over.
    func drain(_ done: @escaping (_ wasCutOff: Bool) -> Void) {
        guard !self.isDraining else { return }
        self.isDraining = true
        self.configuration.logger.info("stopping", metadata: ["connections": "\(self.connections.count)"])
        var whenDone: ((Bool) -> Void)? = done
        let finish = { (wasCutOff: Bool) in
            whenDone?(wasCutOff)
            whenDone = nil
        }
        let deadline = self.eventLoop.assumeIsolated().scheduleTask(in: self.configuration.drainTimeout) {
            self.connections.closeAll()
            finish(true)
        }
        self.whenIdle = {
            deadline.cancel()
            finish(false)
        }
        for driver in self.stompDrivers.values { driver.shutdown() }
        for service in self.services.values { service.shutdown() }
        for webSocket in Array(self.webSockets.values) { webSocket.close(code: 1001, reason: "Going away") }
        for connection in Array(self.httpConnections.values) { connection.drain() }
        for connection in Array(self.http2Connections.values) { connection.drain() }
        self.connections.whenEmpty = { self.checkIdle() }
        self.checkIdle()
    }

    /// A handler has returned.
    func handlerEnded() {
        self.activeHandlers -= 1
        self.checkIdle()
    }

    private func checkIdle() {
        guard self.isDraining, self.connections.count == 0, self.activeHandlers == 0 else { return }
        self.whenIdle?()
        self.whenIdle = nil
        // It holds this.
        self.connections.whenEmpty = nil
    }
}
