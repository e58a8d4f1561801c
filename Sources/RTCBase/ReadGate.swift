/// Holds a channel's reads back while nobody wants what they bring.
package struct ReadGate: Sendable {
    /// Whether reads go ahead.
    package var isOpen = true
    private var holdsRead = false

    package init() {}

    /// Whether a read that is asked for is to go ahead; if not, it is held until the gate is open.
    package mutating func admitsRead() -> Bool {
        self.holdsRead = !self.isOpen
        return self.isOpen
    }

    /// Whether a read that was held is to go ahead now.
    package mutating func releasesRead() -> Bool {
        guard self.isOpen, self.holdsRead else { return false }
        self.holdsRead = false
        return true
    }
}
