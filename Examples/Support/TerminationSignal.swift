import Dispatch
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// SIGINT and SIGTERM as something to wait for; from then on they do not end the process.
package final class TerminationSignal: Sendable {
    private let signals: AsyncStream<Void>
    private let sources: Mutex<[any DispatchSourceSignal]>

    package init() {
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
        self.signals = signals
        self.sources = Mutex(
            [SIGINT, SIGTERM].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield() }
                source.resume()
                return source
            }
        )
    }

    /// The signals as a sequence, for one reader; from another task than the one that waits.
    package func stream() -> AsyncStream<Void> { self.signals }

    /// Waits for the first signal, also one that came before the call, or for the end of the task.
    package func wait() async {
        for await _ in self.signals { break }
        self.sources.withLock { for source in $0 { source.cancel() } }
    }
}
