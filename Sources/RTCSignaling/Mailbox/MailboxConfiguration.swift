public import NIOCore

/// Limits and times of a ``MailboxService``.
public struct MailboxConfiguration: Sendable, Hashable {
    /// The most nameplates at once. Default 10,000.
    public var maximumNameplates = 10_000
    /// How many joiners may come to a nameplate without the inviter saying that one had the right code; then it is locked.
    /// Default 3.
    public var maximumTries = 3
    /// How long a nameplate lives that nobody with the right code has come to. Default an hour.
    public var lifetime: TimeAmount = .hours(1)
    /// How long one lives after somebody had. Default a day.
    public var confirmedLifetime: TimeAmount = .hours(24)
    /// How long a nameplate is kept for an inviter whose connection broke. Default two minutes.
    public var absence: TimeAmount = .minutes(2)
    /// The largest message that is passed on, in bytes of JSON without its quotation marks. Default 96 KiB.
    public var maximumMessageSize = 96 << 10
    /// The most bytes that are passed on for one joiner, both ways together. Default 1 MiB.
    public var maximumBytes = 1 << 20

    /// The defaults.
    public init() {}
}
