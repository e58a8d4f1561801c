/// Names one transceiver of a session, and with it its sender and its receiver, for the session's whole life.
public struct TransceiverID: Sendable, Hashable, Comparable {
    /// Its number, in the order in which transceivers were made, from 0.
    public let number: Int

    init(_ number: Int) { self.number = number }

    /// Orders by age.
    public static func < (lhs: TransceiverID, rhs: TransceiverID) -> Bool { lhs.number < rhs.number }
}
