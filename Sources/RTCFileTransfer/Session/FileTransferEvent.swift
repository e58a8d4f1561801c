public import RTCSignaling
import WebRTC

/// What happens while files are transferred.
public enum FileTransferEvent: Sendable {
    /// The code that the other side needs; only at the sender.
    case code(PairingCode)
    /// Symbolic links, devices and the like are left out; only at the sender.
    case skipped([String])
    /// Somebody came with a wrong code, and so many more may try.
    case wrongCode(triesLeft: Int)
    /// Both sides have shown that they know the code.
    case paired
    /// There is a way to the other side, or another one.
    case connected(FileTransferRoute)
    /// The list of files is complete.
    case listed(files: Int, bytes: UInt64)
    /// It goes on; about ten times a second.
    case progress(FileTransferProgress)
    /// A file was not transferred; the others go on.
    case failure(FileTransferFailure)
    /// Nothing comes from the other side at the moment: the network may be away. The connection is kept for a while.
    case silent
    /// The other side is there again after ``silent``, over the same connection.
    case resumed
    /// The connection broke; it is tried to be restored.
    case interrupted(FileTransferError)
}

/// The way that data takes.
public struct FileTransferRoute: Sendable, Hashable, CustomStringConvertible {
    /// Whether a TURN server carries the data, of this side or the other.
    public var isRelayed: Bool
    /// The relay's URL, if it is one of this side.
    public var relay: String?
    /// The address on this side.
    public var localAddress: String
    /// The address on the other side.
    public var remoteAddress: String

    init(_ pair: RTCIceCandidatePair) {
        self.isRelayed = pair.local.type == .relay || pair.remote.type == .relay
        self.relay = pair.local.type == .relay ? pair.local.url : nil
        self.localAddress = pair.local.address ?? "?"
        self.remoteAddress = pair.remote.address ?? "?"
    }

    public var description: String {
        let path = "\(self.localAddress) to \(TransferPath.printable(self.remoteAddress))"
        guard self.isRelayed else { return "direct, \(path)" }
        return "relayed\(self.relay.map { " by \($0)" } ?? " on the other side"), \(path)"
    }
}

/// What came of a transfer.
public struct FileTransferReport: Sendable, Hashable {
    /// Files that are at the receiver, with those that were there before.
    public var files: Int
    /// Their bytes.
    public var bytes: UInt64
    /// Files and folders that are not.
    public var failures: [FileTransferFailure]
    /// Whether all is there.
    public var isComplete: Bool { self.failures.isEmpty }
}
