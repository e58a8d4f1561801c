/// What a receiver does when there is another file of the name already. One with the same content is never an obstacle.
public enum ExistingFilePolicy: String, Sendable, Hashable, CaseIterable {
    /// It is kept, and the file that was to come counts as failed.
    case keep
    /// It is replaced, in one step, when the new one is complete.
    case overwrite
    /// The new one gets a number: `name (1).txt`.
    case rename
}
