import NIOCore
import RTCBase
import RTCFileTransfer

/// A sender and a receiver with nothing between them.
struct EnginePair {
    enum End {
        case running
        case complete
        case failed(FileTransferProblem)

        var problem: FileTransferProblem? {
            if case .failed(let problem) = self { return problem }
            return nil
        }

        var isComplete: Bool {
            if case .complete = self { return true }
            return false
        }
    }

    let sender: FileTransferSender
    let receiver: FileTransferReceiver
    private(set) var senderEnd = End.running
    private(set) var receiverEnd = End.running
    private(set) var messages = 0
    private(set) var bytes = 0
    /// Called for each message of the sender, may alter it; nil drops it.
    var meddle: (ByteBuffer) -> ByteBuffer? = { $0 }

    init(_ paths: [String], into folder: String, _ policy: ExistingFilePolicy = .keep) throws {
        self.sender = FileTransferSender(try SourceFiles(paths))
        self.receiver = FileTransferReceiver(try TargetFolder(folder, policy: policy))
    }

    /// Runs until both have nothing to say, or until so many messages of the sender have arrived.
    mutating func run(messages limit: Int = .max) {
        var isBusy = true
        while isBusy {
            isBusy = false
            // The sender's messages one by one, so that the receiver's come in between.
            var hasSent = false
            while !hasSent, let output = self.sender.poll() {
                isBusy = true
                switch output {
                case .transmit(let message):
                    guard self.messages < limit else { return }
                    hasSent = true
                    self.messages += 1
                    self.bytes += message.readableBytes
                    if let message = self.meddle(message) { self.receiver.receive(message) }
                case .complete: self.senderEnd = .complete
                case .failed(let problem): self.senderEnd = .failed(problem)
                case .working, .listed, .failure: break
                }
            }
            while let output = self.receiver.poll() {
                isBusy = true
                switch output {
                case .transmit(let message): self.sender.receive(message)
                case .complete: self.receiverEnd = .complete
                case .failed(let problem): self.receiverEnd = .failed(problem)
                case .working, .listed, .failure: break
                }
            }
        }
    }

    var isComplete: Bool { self.senderEnd.isComplete && self.receiverEnd.isComplete }
}

extension RandomSource {
    /// So many bytes.
    mutating func content(_ count: Int) -> [UInt8] { self.bytes(count: count) }
}
