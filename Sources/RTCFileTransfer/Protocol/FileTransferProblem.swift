/// Why a file, or all of it, cannot be transferred; in words, with the side that it happened on.
public struct FileTransferProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is the matter.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        /// Something else; the detail says what.
        case other = 0
        /// The file changed while it was sent.
        case changed = 1
        /// The file is not there any more.
        case vanished = 2
        /// The system does not allow it.
        case permissionDenied = 3
        /// No room is left.
        case noSpace = 4
        /// There is another file of that name, and it was not to be overwritten.
        case exists = 5
        /// Something that is no folder, or no file, is in the way.
        case inTheWay = 6
        /// The file system does not take the name.
        case nameRefused = 7
        /// The device failed.
        case inputOutput = 8
        /// The other side broke the protocol.
        case protocolViolation = 9
        /// What arrived is not what was sent.
        case corrupted = 10
        /// The list of files is too long.
        case tooMuch = 11
        /// The file system is read-only.
        case readOnly = 12
        /// A path would lead out of the target folder.
        case forbiddenPath = 13
        /// The other side speaks another version.
        case version = 14
        /// Somebody ended it.
        case cancelled = 15
        /// A symbolic link, a device or the like, which is not transferred.
        case notAFile = 16

        var words: String {
            switch self {
            case .other: "it failed"
            case .changed: "the file changed while it was sent"
            case .vanished: "the file is not there any more"
            case .permissionDenied: "permission denied"
            case .noSpace: "no space left on the disk"
            case .exists: "another file of that name is there, and was not overwritten"
            case .inTheWay: "something of that name is in the way"
            case .nameRefused: "the file system does not take the name"
            case .inputOutput: "the disk failed"
            case .protocolViolation: "the other side broke the protocol"
            case .corrupted: "what arrived is not what was sent"
            case .tooMuch: "there are too many files"
            case .readOnly: "the file system is read-only"
            case .forbiddenPath: "a path leads out of the folder"
            case .version: "the other side speaks another version"
            case .cancelled: "it was ended"
            case .notAFile: "it is no file or folder"
            }
        }
    }

    /// Where it happened.
    public enum Side: Sendable, Hashable {
        /// On this side.
        case local
        /// On the other side.
        case remote
    }

    /// The longest detail that is sent and taken, in bytes.
    static let maximumDetail = 1_024

    /// What is the matter.
    public var kind: Kind
    /// More of it, for people; may be empty.
    public var detail: String
    /// Where it happened.
    public var side: Side

    /// A problem.
    public init(_ kind: Kind, _ detail: String = "", side: Side = .local) {
        self.kind = kind
        self.detail = detail
        self.side = side
    }

    /// Whether nothing more can be transferred, whatever file it is.
    package var isFatal: Bool {
        switch self.kind {
        case .noSpace, .inputOutput, .readOnly, .protocolViolation, .corrupted, .tooMuch, .forbiddenPath, .version,
            .cancelled:
            true
        default: false
        }
    }

    public var description: String {
        let place = self.side == .local ? "" : "on the other side: "
        return place + self.kind.words + (self.detail.isEmpty ? "" : " (\(TransferPath.printable(self.detail)))")
    }
}

/// A file or folder with its problem.
public struct FileTransferFailure: Sendable, Hashable, CustomStringConvertible {
    /// Which file, below what was sent.
    public var path: String
    /// What is the matter with it.
    public var problem: FileTransferProblem

    /// A failure.
    public init(path: String, problem: FileTransferProblem) {
        self.path = path
        self.problem = problem
    }

    public var description: String { "\(self.path): \(self.problem)" }
}
