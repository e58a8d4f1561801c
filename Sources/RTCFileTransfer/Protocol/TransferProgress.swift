package import NIOCore

/// How far a transfer is.
public struct FileTransferProgress: Sendable, Hashable {
    /// What is happening.
    public enum Stage: Sendable, Hashable {
        /// The list of files is on its way, or what is there already is compared.
        case comparing
        /// Files are sent.
        case transferring
        /// All is there; it is being written to the disk.
        case finishing
    }

    /// What is happening.
    public var stage = Stage.comparing
    /// Bytes of files that are at the receiver, with those that were there before.
    public var bytes: UInt64 = 0
    /// The bytes of all files.
    public var totalBytes: UInt64 = 0
    /// Files that are complete.
    public var files = 0
    /// All files.
    public var totalFiles = 0
    /// Bytes that have been compared with what is there already.
    public var comparedBytes: UInt64 = 0

    /// Nothing yet.
    public init() {}
}

/// What a transfer's engine has to say, on either side.
package enum TransferOutput {
    /// A message for the other side.
    case transmit(ByteBuffer)
    /// It has been at work for a while and wants to go on: others may have a turn.
    case working
    /// The list is complete.
    case listed(files: Int, bytes: UInt64)
    /// A file failed, on either side.
    case failure(FileTransferFailure)
    /// All was done that could be: nothing follows.
    case complete
    /// It is over, with the files that are not complete yet kept for another time: nothing follows.
    case failed(FileTransferProblem)
}
