import RTCFileTransfer

/// A line on a terminal that is written again and again.
struct ProgressBar {
    private static let width = 30
    /// The rate is that of the last seconds.
    private static let window: Duration = .seconds(5)

    private var samples: [(time: ContinuousClock.Instant, bytes: UInt64)] = []
    private var isShown = false

    mutating func show(_ progress: FileTransferProgress) {
        let now = ContinuousClock.now
        self.samples.append((now, progress.bytes))
        while self.samples.count > 2, let first = self.samples.first, now - first.time > Self.window {
            self.samples.removeFirst()
        }
        self.isShown = true
        StandardError.writeText("\r\u{1B}[K" + self.text(progress))
    }

    mutating func clear() {
        if self.isShown { StandardError.writeText("\r\u{1B}[K") }
        self.isShown = false
    }

    private func text(_ progress: FileTransferProgress) -> String {
        switch progress.stage {
        case .comparing: return "Comparing, \(Amount.bytes(progress.comparedBytes))"
        case .finishing where progress.bytes >= progress.totalBytes: return "Writing to the disk"
        case .transferring, .finishing: break
        }
        let share = progress.totalBytes == 0 ? 1 : Double(progress.bytes) / Double(progress.totalBytes)
        let filled = min(Self.width, Int(share * Double(Self.width)))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
        var text = "[\(bar)] \(Int(share * 100)) % of \(Amount.bytes(progress.totalBytes))"
        if let rate = self.rate, rate > 0 {
            let left = Double(progress.totalBytes - min(progress.bytes, progress.totalBytes)) / rate
            text += ", \(Amount.bytes(UInt64(rate)))/s, \(Amount.time(left)) left"
        }
        return text
    }

    private var rate: Double? {
        guard let first = self.samples.first, let last = self.samples.last, last.time > first.time else { return nil }
        let time = (last.time - first.time).components
        return Double(last.bytes - min(first.bytes, last.bytes))
            / (Double(time.seconds) + Double(time.attoseconds) / 1e18)
    }
}

/// Numbers for people.
enum Amount {
    static func bytes(_ count: UInt64) -> String {
        guard count >= 1_000 else { return "\(count) B" }
        var value = Double(count)
        var unit = 0
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 999.95, unit + 1 < units.count {
            value /= 1_000
            unit += 1
        }
        return "\(Self.tenths(value)) \(units[unit])"
    }

    static func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }

    static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 360_000 else { return "very long" }
        if seconds < 60 { return "\(Self.tenths(seconds)) s" }
        let whole = Int(seconds)
        return whole < 3_600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3_600) h \(whole % 3_600 / 60) min"
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
