import Logging
public import NIOCore
public import RTCSignaling
import Synchronization

/// A STOMP broker in a ``SignalingServer``: over WebSockets, SockJS and TCP, all clients of one broker.
///
/// Everything may be called from anywhere. A service belongs to the one server whose routes it is in; while that does not run, what
/// is published goes nowhere.
public final class STOMPService: Sendable {
    /// Decides on what a client wants.
    public typealias Decision = @Sendable (STOMPQuestion) async -> STOMPAnswer

    /// Limits and times.
    public let configuration: STOMPConfiguration
    /// What clients send to ``STOMPConfiguration/applicationPrefix``, to be read by one reader. Up to 1024 wait; a client that sends
    /// one more is cut off.
    public let messages: AsyncStream<STOMPBroker.Sent>

    /// Whether the external broker can be reached, each time that changes; nothing where there is none. For one reader, who may miss
    /// what changed and changed back meanwhile.
    public let availability: AsyncStream<Bool>

    /// The external broker; nil for one of its own.
    public let relay: STOMPRelayConfiguration?
    /// TLS to it; nil for none.
    public let relayTLS: STOMPRelayTLS?

    let decide: Decision?
    let availabilityContinuation: AsyncStream<Bool>.Continuation
    let messagesContinuation: AsyncStream<STOMPBroker.Sent>.Continuation
    private let driver = Mutex<(eventLoop: any EventLoop, driver: NIOLoopBound<any STOMPServing>)?>(nil)

    /// A service.
    ///
    /// - Parameters:
    ///   - configuration: Limits and times.
    ///   - relay: The external broker that clients are passed on to (``STOMPRelay``); nil for a broker of its own, in memory.
    ///   - relayTLS: TLS to that broker; nil for none. Credentials and messages go there in the clear then.
    ///   - decide: Asked before a client connects, subscribes and sends; nil lets everybody do everything.
    public init(
        configuration: STOMPConfiguration = STOMPConfiguration(),
        relay: STOMPRelayConfiguration? = nil,
        relayTLS: STOMPRelayTLS? = nil,
        decide: Decision? = nil
    ) {
        var configuration = configuration
        configuration.asks = decide != nil
        self.configuration = configuration
        self.relay = relay
        self.relayTLS = relayTLS
        self.decide = decide
        (self.messages, self.messagesContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1024))
        (self.availability, self.availabilityContinuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(1)
        )
    }

    /// Sends to a topic, a queue or `/user/NAME/…` (``STOMPBroker``). What a queue is too full for is dropped; for an external broker
    /// it is kept until that has taken it (``STOMPRelay/publish(to:headers:body:now:)``).
    public func publish(to destination: String, headers: [STOMPFrame.Header] = [], body: ByteBuffer) {
        self.run { $0.publish(to: destination, headers: headers, body: body) }
    }

    /// Sends to one client; for `/queue/x` it subscribes to `/user/queue/x`.
    public func send(
        to connection: STOMPConnectionID,
        destination: String,
        headers: [STOMPFrame.Header] = [],
        body: ByteBuffer
    ) {
        self.run { $0.send(to: connection, destination: destination, headers: headers, body: body) }
    }

    /// Ends a client's connection with an `ERROR`.
    public func close(_ connection: STOMPConnectionID, reason: String) {
        self.run { $0.close(connection, reason: reason) }
    }

    func makeDriver(eventLoop: any EventLoop, logger: Logger) -> any STOMPServing {
        guard let relay = self.relay else { return STOMPDriver(self, eventLoop: eventLoop) }
        return STOMPRelayDriver(self, relay, eventLoop: eventLoop, logger: logger)
    }

    func attach(_ driver: any STOMPServing, eventLoop: any EventLoop) {
        let bound = NIOLoopBound(driver, eventLoop: eventLoop)
        self.driver.withLock { $0 = (eventLoop, bound) }
    }

    func detach() {
        self.driver.withLock { $0 = nil }
        self.messagesContinuation.finish()
        self.availabilityContinuation.finish()
    }

    /// On the event loop: has a question decided.
    func answer(_ question: STOMPQuestion, on eventLoop: any EventLoop, _ done: @escaping (STOMPAnswer) -> Void) {
        guard let decide = self.decide else { return }
        eventLoop.makeFutureWithTask { await decide(question) }.assumeIsolated().whenComplete { result in
            done((try? result.get()) ?? .deny(reason: "nobody decided"))
        }
    }

    private func run(_ action: @escaping @Sendable (any STOMPServing) -> Void) {
        guard let (eventLoop, driver) = self.driver.withLock({ $0 }) else { return }
        eventLoop.execute { action(driver.value) }
    }
}
