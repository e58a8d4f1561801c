import ExampleSupport
import RTCFileTransfer
import RTCSignaling
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What the program exits with.
enum ExitStatus {
    static let complete: Int32 = 0
    static let failed: Int32 = 1
    static let incomplete: Int32 = 2
    static let wrongCode: Int32 = 3
    static let tampered: Int32 = 4
    static let interrupted: Int32 = 130
}

/// Lines for people, apart from what a program may read.
enum StandardError {
    static func write(_ line: String) { Self.writeText(line + "\n") }

    static func writeText(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var offset = 0
            while offset < bytes.count, let base = bytes.baseAddress {
                #if canImport(Darwin)
                let count = Darwin.write(2, base + offset, bytes.count - offset)
                #elseif canImport(Musl)
                let count = Musl.write(2, base + offset, bytes.count - offset)
                #else
                let count = Glibc.write(2, base + offset, bytes.count - offset)
                #endif
                if count <= 0 { return }
                offset += count
            }
        }
    }
}

/// Tells a person what happens: lines, and on a terminal a bar.
final class Console: Sendable {
    /// A transfer that tells what happens.
    typealias Transfer =
        @Sendable (@escaping @Sendable (FileTransferEvent) -> Void) async throws(FileTransferError)
        -> FileTransferReport

    private struct State {
        var bar: ProgressBar?
        var route: FileTransferRoute?
        var start: ContinuousClock.Instant?
    }

    private let isSender: Bool
    private let state: Mutex<State>

    init(isSender: Bool) {
        self.isSender = isSender
        self.state = Mutex(State(bar: isatty(2) == 1 ? ProgressBar() : nil))
    }

    /// Does the transfer, until it ends or a signal comes; gives what to exit with.
    func run(
        until signal: TerminationSignal,
        _ transfer: @escaping Transfer
    ) async -> Int32 {
        let task = Task { () -> Result<FileTransferReport, FileTransferError> in
            do throws(FileTransferError) {
                return .success(try await transfer { self.tell($0) })
            } catch {
                return .failure(error)
            }
        }
        let watch = TerminationWatch(signal, task)
        let result = await task.value
        watch.cancel()
        self.state.withLock { $0.bar?.clear() }
        switch result {
        case .success(let report): return self.finish(report)
        case .failure(.cancelled):
            StandardError.write("Interrupted. Start it again to go on.")
            return ExitStatus.interrupted
        case .failure(let error):
            StandardError.write("Failed: \(error)")
            return Self.status(of: error)
        }
    }

    private static func status(of error: FileTransferError) -> Int32 {
        switch error {
        case .wrongCode, .locked: ExitStatus.wrongCode
        case .mailbox(.unknown, _), .mailbox(.locked, _), .mailbox(.expired, _): ExitStatus.wrongCode
        case .tampered: ExitStatus.tampered
        default: ExitStatus.failed
        }
    }

    private func finish(_ report: FileTransferReport) -> Int32 {
        let (route, start) = self.state.withLock { ($0.route, $0.start) }
        let duration = start.map { ContinuousClock.now - $0 } ?? .zero
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        let rate = seconds > 0 ? ", \(Amount.bytes(UInt64(Double(report.bytes) / seconds)))/s" : ""
        let way = route.map { "; \($0)" } ?? ""
        StandardOutput.write(
            "\(self.isSender ? "Sent" : "Received") \(Amount.files(report.files)), \(Amount.bytes(report.bytes)), "
                + "in \(Amount.time(seconds))\(rate)\(way)"
        )
        guard !report.isComplete else { return ExitStatus.complete }
        StandardError.write("Not transferred: \(report.failures.count)")
        return ExitStatus.incomplete
    }

    /// Tells one event.
    func tell(_ event: FileTransferEvent) {
        switch event {
        case .code: break
        case .skipped(let paths):
            for path in paths { self.line("Left out, neither file nor folder: \(path)") }
        case .wrongCode(let left): self.line("Somebody came with a wrong code; \(left) more may try.")
        case .paired: self.line("The other side has the code.")
        case .connected(let route):
            self.state.withLock { $0.route = route }
            self.line("Connected: \(route)")
        case .listed(let files, let bytes):
            self.state.withLock { state in if state.start == nil { state.start = .now } }
            self.line("\(Amount.files(files)), \(Amount.bytes(bytes))")
        case .progress(let progress): self.state.withLock { $0.bar?.show(progress) }
        case .failure(let failure): self.line("Not transferred: \(failure)")
        case .silent: self.line("Nothing comes from the other side at the moment. Waiting for the network.")
        case .resumed: self.line("The other side is there again.")
        case .interrupted(let error): self.line("Interrupted: \(error). Waiting for the other side.")
        }
    }

    private func line(_ text: String) {
        self.state.withLock { state in
            state.bar?.clear()
            StandardError.write(text)
        }
    }
}

/// Cancels a task at the first signal.
private final class TerminationWatch: Sendable {
    private let task: Task<Void, Never>

    init(_ signal: TerminationSignal, _ watched: Task<some Sendable, Never>) {
        let signals = signal.stream()
        self.task = Task {
            for await _ in signals {
                watched.cancel()
                break
            }
        }
    }

    func cancel() { self.task.cancel() }
}
