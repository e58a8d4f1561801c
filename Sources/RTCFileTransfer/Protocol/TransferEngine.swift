package import NIOCore

/// What both sides of a transfer have in common for who carries their messages.
package protocol TransferEngine: AnyObject {
    /// How far it is.
    var progress: FileTransferProgress { get }
    /// What was not transferred.
    var failures: [FileTransferFailure] { get }
    /// Takes a message of the other side.
    func receive(_ message: ByteBuffer)
    /// The next thing that it has to say; nil while it waits for the other side, or when all is over.
    func poll() -> TransferOutput?
    /// Ends it on this side.
    func cancel()
}
