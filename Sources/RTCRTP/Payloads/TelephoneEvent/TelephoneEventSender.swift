public import NIOCore

/// Plays DTMF tones as telephone events (RFC 4733 section 2.5.1), by the rules of W3C's `RTCDTMFSender`.
public struct TelephoneEventSender: Sendable {
    /// What to do.
    public enum Output: Sendable, Hashable {
        /// Send this packet.
        case packet(TelephoneEventPayload, timestamp: UInt32, marker: Bool)
        /// A tone begins, `ontonechange`; an empty string when all are played.
        case toneChange(String)
    }

    /// Why tones are refused.
    public enum InsertionError: Error, Sendable, Hashable {
        /// A character is no tone and no comma (W3C: `InvalidCharacterError`).
        case invalidCharacter(Character)
        /// More than ``TelephoneEventSender/maximumTones``.
        case tooManyTones
    }

    /// The durations that tones may have.
    public static let durations = TimeAmount.milliseconds(40)...TimeAmount.milliseconds(6000)
    /// The duration of tones that is used by default.
    public static let defaultDuration = TimeAmount.milliseconds(100)
    /// The shortest gap between tones.
    public static let minimumGap = TimeAmount.milliseconds(30)
    /// The longest gap between tones (webrtc-pc section 7.2).
    public static let maximumGap = TimeAmount.milliseconds(6000)
    /// The gap between tones that is used by default.
    public static let defaultGap = TimeAmount.milliseconds(70)
    /// How long a comma pauses.
    public static let pause = TimeAmount.seconds(2)
    /// How often a tone under way is told of.
    public static let interval = TimeAmount.milliseconds(50)
    /// The most tones that wait.
    public static let maximumTones = 4096

    private enum State: Sendable {
        case idle
        /// Until the next tone.
        case waiting(until: NIODeadline)
        case playing(Playing)
        /// Nothing is left to play, and the last gap runs.
        case finishing(until: NIODeadline)
    }

    private struct Playing: Sendable {
        var event: UInt8
        var start: NIODeadline
        var end: NIODeadline
        var timestamp: UInt32
        /// How many segments of 65,535 ticks are over.
        var segments: UInt32 = 0
        var nextPacket: NIODeadline
        var isFirst = true
    }

    /// Ticks of the RTP timestamp a second.
    public let clockRate: Int
    /// How loud, 0 to 63 in −dBm0. Default 10.
    public let volume: UInt8
    private var duration = Self.defaultDuration
    private var gap = Self.defaultGap
    private var tones: [Character] = []
    private var state = State.idle
    private var outputs: [Output] = []

    /// A sender of one stream.
    ///
    /// - Parameters:
    ///   - clockRate: The clock rate of the negotiated `telephone-event`: 8,000 or 48,000.
    ///   - volume: 0 to 63 in −dBm0.
    public init(clockRate: Int, volume: UInt8 = 10) {
        self.clockRate = max(1, clockRate)
        self.volume = min(volume, 63)
    }

    /// Whether nothing is played and nothing waits for its turn.
    public var isIdle: Bool {
        if case .idle = self.state { return true }
        return false
    }

    /// Whether a tone is under way, pauses and gaps left out.
    public var isPlaying: Bool {
        if case .playing = self.state { return true }
        return false
    }

    /// Breaks off, a tone under way included; ``toneBuffer`` stays.
    public mutating func stop() {
        self.state = .idle
        self.outputs.removeAll()
    }

    /// The tones that wait, as `toneBuffer` of W3C.
    public var toneBuffer: String { String(self.tones) }

    /// Replaces the tones that wait. A tone under way is played to its end; an empty string stops after it.
    ///
    /// - Parameters:
    ///   - tones: Keys as of ``DTMFTone``, and commas, which pause for ``pause``.
    ///   - duration: How long a tone lasts; beyond ``durations`` counts as the nearer end.
    ///   - gap: The silence between tones; beyond ``minimumGap`` and ``maximumGap`` counts as the nearer end.
    public mutating func insert(
        _ tones: String,
        duration: TimeAmount = Self.defaultDuration,
        gap: TimeAmount = Self.defaultGap,
        now: NIODeadline
    ) throws(InsertionError) {
        guard tones.count <= Self.maximumTones else { throw .tooManyTones }
        for character in tones where character != "," && DTMFTone(character) == nil {
            throw .invalidCharacter(character)
        }
        self.tones = tones.map { $0 == "," ? $0 : DTMFTone($0)?.character ?? $0 }
        self.duration = min(max(duration, Self.durations.lowerBound), Self.durations.upperBound)
        self.gap = min(max(gap, Self.minimumGap), Self.maximumGap)
        switch self.state {
        case .idle: if !self.tones.isEmpty { self.state = .waiting(until: now) }
        case .finishing(let until): self.state = .waiting(until: until)
        case .waiting, .playing: break
        }
    }

    /// Plays on.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - timestamp: The RTP timestamp that stands for `now` in the stream.
    public mutating func handleTimeout(now: NIODeadline, timestamp: UInt32) {
        switch self.state {
        case .idle:
            break
        case .waiting(let until):
            if until <= now { self.next(now, timestamp) }
        case .playing(let playing):
            self.play(playing, now)
        case .finishing(let until):
            guard until <= now else { return }
            self.state = .idle
            self.outputs.append(.toneChange(""))
        }
    }

    private mutating func next(_ now: NIODeadline, _ timestamp: UInt32) {
        guard let character = self.tones.first else {
            self.state = .idle
            self.outputs.append(.toneChange(""))
            return
        }
        self.tones.removeFirst()
        self.outputs.append(.toneChange(String(character)))
        guard let tone = DTMFTone(character) else {
            self.state = .waiting(until: now + Self.pause)
            return
        }
        let playing = Playing(
            event: tone.rawValue,
            start: now,
            end: now + self.duration,
            timestamp: timestamp,
            nextPacket: now + Self.interval
        )
        self.play(playing, now)
    }

    private mutating func play(_ playing: Playing, _ now: NIODeadline) {
        var playing = playing
        guard playing.isFirst || playing.nextPacket <= now || playing.end <= now else { return }
        let isEnd = playing.end <= now
        var ticks = self.ticks(min(now, playing.end) - playing.start)
        // The first packet tells of what its interval will bring: zero would be an event without duration.
        if playing.isFirst && !isEnd { ticks = self.ticks(min(Self.interval, playing.end - playing.start)) }
        while ticks - Int(playing.segments) * 0xFFFF > 0xFFFF { self.endSegment(&playing) }
        let duration = UInt16(clamping: ticks - Int(playing.segments) * 0xFFFF)
        // The end is told three times, since nothing after it would make up for a loss (RFC 4733 section 2.5.1.4).
        for _ in 0..<(isEnd ? 3 : 1) { self.emit(&playing, duration: duration, isEnd: isEnd) }
        guard !isEnd else {
            let until = playing.end + self.gap
            self.state = self.tones.isEmpty ? .finishing(until: until) : .waiting(until: until)
            return
        }
        playing.nextPacket = now + Self.interval
        self.state = .playing(playing)
    }

    /// Tells of a whole segment, after which the next begins (RFC 4733 section 2.5.1.3).
    private mutating func endSegment(_ playing: inout Playing) {
        self.emit(&playing, duration: 0xFFFF, isEnd: false)
        playing.segments += 1
    }

    private mutating func emit(_ playing: inout Playing, duration: UInt16, isEnd: Bool) {
        let payload = TelephoneEventPayload(
            event: playing.event,
            isEnd: isEnd,
            volume: self.volume,
            duration: duration
        )
        let timestamp = playing.timestamp &+ playing.segments &* 0xFFFF
        self.outputs.append(.packet(payload, timestamp: timestamp, marker: playing.isFirst))
        playing.isFirst = false
    }

    private func ticks(_ time: TimeAmount) -> Int {
        Int(time.nanoseconds) / 1000 * self.clockRate / 1_000_000
    }

    /// The next thing to do; `nil` if there is none.
    public mutating func poll() -> Output? { self.outputs.isEmpty ? nil : self.outputs.removeFirst() }

    /// When ``handleTimeout(now:timestamp:)`` wants to be called.
    public var nextTimeout: NIODeadline? {
        switch self.state {
        case .idle: nil
        case .waiting(let until), .finishing(let until): until
        case .playing(let playing): min(playing.nextPacket, playing.end)
        }
    }
}
