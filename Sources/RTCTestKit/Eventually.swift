/// Waits until something becomes true that other tasks bring about.
///
/// - Throws: `CancellationError` when the task is cancelled, as a test is whose time is up.
package func eventually(
    _ condition: () async throws -> Bool,
    isolation: isolated (any Actor)? = #isolation
) async throws {
    while !(try await condition()) {
        try Task.checkCancellation()
        await Task.yield()
    }
}
