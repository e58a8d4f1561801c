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

    let decide: Decision?
    let messagesContinuation: AsyncStream<STOMPBroker.Sent>.Continuation
    private let driver = Mutex<(eventLoop: any EventLoop, driver: NIOLoopBound<STOMPDriver>)?>(nil)

    /// A service.
    ///
    /// - Parameters:
    ///   - configuration: Limits and times.
    ///   - decide: Asked before a client connects, subscribes and sends; nil lets everybody do everything.
    public init(configuration: STOMPConfiguration = STOMPConfiguration(), decide: Decision? = nil) {
        var configuration = configuration
        configuration.asks = decide != nil
        self.configuration = configuration
        self.decide = decide
        (self.messages, self.messagesContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1024))
    }

    /// Sends to a topic, a queue or `/user/NAME/…` (``STOMPBroker``). What a queue is too full for is dropped.
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

    func attach(_ driver: STOMPDriver, eventLoop: any EventLoop) {
        let bound = NIOLoopBound(driver, eventLoop: eventLoop)
        self.driver.withLock { $0 = (eventLoop, bound) }
    }

    func detach() {
        self.driver.withLock { $0 = nil }
        self.messagesContinuation.finish()
    }

    private func run(_ action: @escaping @Sendable (STOMPDriver) -> Void) {
        guard let (eventLoop, driver) = self.driver.withLock({ $0 }) else { return }
        eventLoop.execute { action(driver.value) }
    }
}
