public import NIOCore

/// How a connection is negotiated and kept.
public struct NegotiatorConfiguration: Sendable, Hashable {
    /// How long to wait before the first offer, in case the other side's comes first. Default none.
    public var firstOfferDelay: TimeAmount = .zero
    /// How long an offer may go without an answer before both sides compare where they stand; doubles each time, up to six times it.
    /// Default 10 s.
    public var answerTimeout: TimeAmount = .seconds(10)
    /// How long the connection may be disconnected before ICE is restarted. Default 4 s.
    public var disconnectedTimeout: TimeAmount = .seconds(4)
    /// How long it may take to connect, at first and after a restart, before ICE is restarted. Default 20 s.
    public var connectTimeout: TimeAmount = .seconds(20)
    /// The longest delay before a restart after a failure; each next is twice as long, up to 30 s. Default 1 s.
    public var firstRestartDelay: TimeAmount = .seconds(1)
    /// How often ICE is restarted in vain before the connection is given up; nil for ever. Default 6.
    public var maximumRestarts: Int? = 6

    /// The defaults.
    public init() {}
}

/// What a negotiation has to say beside what the connection says itself.
public enum NegotiationEvent: Sendable, Hashable {
    /// ICE is restarted, for so many times in vain so far.
    case restarting(attempt: Int)
    /// The connection did not come back; nothing more is tried.
    case gaveUp
    /// The other side is done with the connection.
    case bye(reason: String)
    /// A description of this side could not be made, or one of the other side not be taken, for this reason.
    case failed(String)
}
