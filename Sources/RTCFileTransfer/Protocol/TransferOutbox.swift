import RTCBase

/// What an engine has to say: frames for the other side, and outputs for its owner.
package struct TransferOutbox {
    var packer = FramePacker()
    var outputs = OutputQueue<TransferOutput>()
    /// What was not transferred.
    private(set) var failures: [FileTransferFailure]
    /// Whether nothing follows but what waits here.
    private(set) var isOver = false

    /// Begins with the greeting.
    init(failures: [FileTransferFailure] = []) {
        self.failures = failures
        self.packer.append(.hello(version: TransferFrame.version, chunkSize: UInt32(HashTree.chunkSize)))
    }

    /// The next thing for the owner; nil if there is none but frames of a transfer that goes on.
    mutating func next() -> TransferOutput? {
        // The last word goes before the end.
        if self.isOver, let message = self.packer.next(flush: true) { return .transmit(message) }
        return self.outputs.popFirst()
    }

    /// Notes what became of a file or folder.
    mutating func note(_ entry: ManifestEntry, _ problem: FileTransferProblem) {
        let failure = FileTransferFailure(path: entry.path.description, problem: problem)
        self.failures.append(failure)
        self.outputs.append(.failure(failure))
    }

    /// Nothing follows.
    mutating func end(_ output: TransferOutput) {
        self.isOver = true
        self.outputs.append(output)
    }

    /// Nothing is said any more of what was under way.
    mutating func dropFrames() { self.packer = FramePacker() }
}
