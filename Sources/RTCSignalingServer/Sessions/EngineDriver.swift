import NIOCore
import RTCBase

/// A protocol that does no input or output, as a driver sees it.
protocol DrivenEngine {
    associatedtype Output

    mutating func handleTimeout(now: NIODeadline)
    mutating func poll() -> Output?
    var nextTimeout: NIODeadline? { get }
}

/// Drives an engine, confined to one event loop: does what it says after each thing that it is told, and wakes it when something is due.
protocol EngineDriver: AnyObject {
    associatedtype Engine: DrivenEngine

    var engine: Engine { get set }
    var pump: EnginePump { get }

    func perform(_ output: Engine.Output)
}

/// The state of an ``EngineDriver``.
final class EnginePump {
    fileprivate let timer: LoopTimer
    fileprivate var isRunning = false
    fileprivate var isStopped = false

    init(eventLoop: any EventLoop) { self.timer = LoopTimer(eventLoop: eventLoop) }

    /// Nothing is due any more, until something is told.
    func cancel() { self.timer.cancel() }

    /// Nothing is done any more.
    func stop() {
        self.isStopped = true
        self.timer.cancel()
    }
}

extension EngineDriver {
    /// Tells the engine something, and does what it says to that.
    @discardableResult
    func drive<Result>(_ tell: (inout Engine) -> Result) -> Result {
        let result = tell(&self.engine)
        self.pumpOutputs()
        return result
    }

    /// Does what the engine says.
    func pumpOutputs() {
        // What is performed may tell the engine something; the outer loop takes it.
        guard !self.pump.isRunning, !self.pump.isStopped else { return }
        self.pump.isRunning = true
        defer { self.pump.isRunning = false }
        while let output = self.engine.poll() { self.perform(output) }
        self.pump.timer.set(self.engine.nextTimeout) { [weak self] in
            self?.drive { $0.handleTimeout(now: .now()) }
        }
    }
}
