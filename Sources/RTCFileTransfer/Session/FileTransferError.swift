public import RTCSignaling
public import WebRTC

/// Why a transfer ended before its end.
public enum FileTransferError: Error, Sendable, CustomStringConvertible {
    /// The other side has another code, or somebody meddled with the exchange.
    case wrongCode
    /// Three came with wrong codes: the code is not valid any more.
    case locked
    /// Somebody between the two sides altered what they said to each other.
    case tampered
    /// The other side does not speak this protocol.
    case incompatible
    /// The other side says nothing.
    case noAnswer
    /// The mailbox server refuses.
    case mailbox(MailboxRefusal, String)
    /// The mailbox server cannot be reached.
    case signaling(SignalingChannelError)
    /// No way to the other side was found; the likeliest reason first.
    case noConnection([RTCConnectionProblem])
    /// The connection broke, and could not be restored.
    case lost
    /// The files.
    case problem(FileTransferProblem)
    /// The task was cancelled.
    case cancelled
    /// Something that should not happen.
    case failed(String)

    /// What a channel to the mailbox server throws.
    init(_ error: SignalingChannelError) {
        if case .cancelled = error { self = .cancelled } else { self = .signaling(error) }
    }

    public var description: String {
        switch self {
        case .wrongCode: "the code is wrong, or somebody meddled with the exchange"
        case .locked: "too many came with wrong codes: the code is not valid any more"
        case .tampered: "somebody between the two sides altered what they said to each other"
        case .incompatible: "the other side does not speak this protocol"
        case .noAnswer: "the other side does not answer"
        case .mailbox(let refusal, let words): Self.describe(refusal, words)
        case .signaling(let error): "the signalling server cannot be used: \(error)"
        case .noConnection(let problems):
            "no way to the other side was found" + (problems.first.map { ": \($0)" } ?? "")
        case .lost: "the connection to the other side is lost"
        case .problem(let problem): problem.description
        case .cancelled: "it was cancelled"
        case .failed(let words): words
        }
    }

    private static func describe(_ refusal: MailboxRefusal, _ words: String) -> String {
        switch refusal {
        case .unknown: "nobody waits under that code: it may be wrong, or over"
        case .busy: "somebody else is using that code"
        case .locked: "too many came with wrong codes: the code is not valid any more"
        case .absent: "who made the code is not connected at the moment"
        case .full: "the server has no codes left"
        case .expired: "the code's time is over"
        case .excess, .malformed: "the server refused: \(TransferPath.printable(words))"
        }
    }
}
