public import NIOCore
public import RTCSignaling

extension STOMPClient {
    /// What is subscribed to, and how.
    public struct SubscriptionRequest: Sendable, Hashable {
        /// Who says that messages were handled.
        public enum AckMode: String, Sendable, Hashable {
            /// Nobody: what was sent counts as handled.
            case auto
            /// ``STOMPClient/ack(_:transaction:)``, for a message and all before it.
            case client
            /// ``STOMPClient/ack(_:transaction:)``, for each message; not in 1.0.
            case clientIndividual = "client-individual"
        }

        /// The destination: `/topic/…`, `/queue/…`, `/user/queue/…`, or whatever the broker has.
        public var destination: String
        /// Who says that messages were handled.
        public var ackMode: AckMode
        /// More headers of `SUBSCRIBE`.
        public var headers: [STOMPFrame.Header]

        /// A request.
        public init(_ destination: String, ackMode: AckMode = .auto, headers: [STOMPFrame.Header] = []) {
            self.destination = destination
            self.ackMode = ackMode
            self.headers = headers
        }
    }

    /// A message of a subscription.
    public struct Message: Sendable, Hashable {
        /// Where it was sent to, as the broker says it.
        public let destination: String
        /// All headers.
        public let headers: [STOMPFrame.Header]
        /// The body.
        public let body: ByteBuffer

        let frame: STOMPFrame

        init(_ frame: STOMPFrame) {
            self.frame = frame
            self.destination = frame["destination"] ?? ""
            self.headers = frame.headers
            self.body = frame.body
        }

        /// The body as text; bytes that are no UTF-8 become U+FFFD.
        public var text: String { String(buffer: self.body) }

        /// The first value of a header; nil for none.
        public subscript(name: String) -> String? { self.frame[name] }
    }

    /// Messages of a destination, for one reader.
    ///
    /// It ends when it is unsubscribed from and throws ``STOMPClientError`` when the connection is over. While messages wait that
    /// nobody reads, nothing more is read from the connection: who subscribes has to read.
    public final class Subscription: AsyncSequence, Sendable {
        /// What was asked for.
        public let request: SubscriptionRequest
        /// The name of the subscription in this connection.
        public let id: String

        let inbox = Inbox<Message>()
        private let hasRoom: @Sendable () -> Void
        /// Why the connection is over, where it is.
        private let end: @Sendable () -> STOMPClientError?

        init(
            _ request: SubscriptionRequest,
            id: String,
            hasRoom: @escaping @Sendable () -> Void,
            end: @escaping @Sendable () -> STOMPClientError?
        ) {
            self.request = request
            self.id = id
            self.hasRoom = hasRoom
            self.end = end
        }

        /// Reads the messages.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let subscription: Subscription

            /// The next message; nil at the end.
            public mutating func next() async throws(STOMPClientError) -> Message? {
                try await self.subscription.next()
            }

            /// The next message; nil at the end.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(STOMPClientError) -> Message? {
                try await self.subscription.next()
            }
        }

        /// An iterator; those of one subscription share its messages.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: self) }

        /// The next message; nil at the end.
        public func next() async throws(STOMPClientError) -> Message? {
            do throws(SignalingChannelError) {
                return try await self.inbox.next(hasRoom: self.hasRoom)
            } catch {
                if error != .cancelled, let end = self.end() { throw end }
                throw STOMPClientError(error)
            }
        }
    }

    /// What is sent as a whole or not at all.
    public struct Transaction: Sendable, Hashable {
        let id: String
    }
}
