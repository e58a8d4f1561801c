/// Names one request and the response to it, for as long as that lasts; whoever owns the connections gives the numbers.
public struct ExchangeID: Sendable, Hashable {
    /// The number.
    public var rawValue: UInt64

    /// An exchange with a number of its own.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}
