package import NIOCore

/// What both sides of a transfer have in common: for who carries their messages, and in how it ends.
package protocol TransferEngine: AnyObject {
    /// How far it is.
    var progress: FileTransferProgress { get }
    /// What it has to say.
    var outbox: TransferOutbox { get set }
    /// The next thing that it has to say; nil while it waits for the other side, or when all is over.
    func poll() -> TransferOutput?

    /// Takes a frame of the other side, unless all is over.
    func take(_ frame: TransferFrame) throws(FileTransferProblem)
    /// Lets go of what is under way.
    func abandon()
}

extension TransferEngine {
    /// What was not transferred.
    package var failures: [FileTransferFailure] { self.outbox.failures }

    /// Whether nothing follows.
    package var isOver: Bool { self.outbox.isOver }

    /// Takes a message of the other side.
    package func receive(_ message: ByteBuffer) {
        var message = message
        while message.readableBytes > 0, !self.isOver {
            do throws(FileTransferProblem) {
                guard let frame = TransferFrame(from: &message) else { throw FileTransferProblem(.protocolViolation) }
                try self.take(frame)
            } catch {
                self.fail(error)
            }
        }
    }

    /// Ends it on this side.
    package func cancel() { self.fail(FileTransferProblem(.cancelled)) }

    /// Ends it, and tells the other side why.
    private func fail(_ problem: FileTransferProblem) {
        guard !self.isOver else { return }
        self.end(.failed(problem))
        self.outbox.packer.append(.failed(problem))
    }

    /// Ends it.
    func end(_ output: TransferOutput) {
        self.outbox.dropFrames()
        self.abandon()
        self.outbox.end(output)
    }
}
