import RTCSignaling

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Dates as HTTP has them: `Wed, 09 Oct 2024 10:00:00 GMT` (RFC 9110 section 5.6.7).
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The seconds since 1970 now.
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec
    }

    /// Writes a time, in seconds since 1970.
    static func text(_ seconds: Int) -> String {
        let day = Int((Double(seconds) / 86_400).rounded(.down))
        let second = seconds - day * 86_400
        let (year, month, date) = Self.civil(day: day)
        let weekday = Self.days[((day % 7) + 7) % 7]
        let clock = [second / 3600, second / 60 % 60, second % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        return "\(weekday), \(Self.padded(date, 2)) \(Self.months[month - 1]) \(Self.padded(year, 4)) \(clock) GMT"
    }

    /// Reads the form that is written today; nil for anything else, the obsolete forms among it.
    static func parse(_ text: String) -> Int? {
        let fields = text.split(separator: " ")
        guard fields.count == 6, fields[0].utf8.count == 4, fields[0].hasSuffix(","), fields[5] == "GMT",
            let date = Self.number(fields[1], 1...31), let month = Self.months.firstIndex(of: String(fields[2])),
            let year = Self.number(fields[3], 1970...9999)
        else { return nil }
        let clock = fields[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = Self.number(clock[0], 0...23), let minute = Self.number(clock[1], 0...59),
            let second = Self.number(clock[2], 0...60)
        else { return nil }
        return Self.day(year: year, month: month + 1, date: date) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Int? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text), range.contains(number) else {
            return nil
        }
        return number
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: The calendar

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysBefore(_ year: Int) -> Int {
        let last = year - 1
        return last * 365 + last / 4 - last / 100 + last / 400 - 719_162
    }

    private static func length(ofMonth month: Int, _ year: Int) -> Int {
        switch month {
        case 2: Self.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970 of a date from 1970 on.
    private static func day(year: Int, month: Int, date: Int) -> Int {
        (1..<month).reduce(Self.daysBefore(year) + date - 1) { $0 + Self.length(ofMonth: $1, year) }
    }

    private static func civil(day: Int) -> (year: Int, month: Int, date: Int) {
        var year = 1970 + day / 366
        while Self.daysBefore(year + 1) <= day { year += 1 }
        var rest = day - Self.daysBefore(year)
        var month = 1
        while rest >= Self.length(ofMonth: month, year) {
            rest -= Self.length(ofMonth: month, year)
            month += 1
        }
        return (year, month, rest + 1)
    }
}

/// The `Retry-After` field (RFC 9110 section 10.2.3).
enum RetryAfter {
    /// How long to wait; nil for a field that says nothing that can be understood. A date that has passed is zero.
    static func parse(_ field: String, now: Int = HTTPDate.now) -> Duration? {
        let text = field.trimmingSpaces()
        if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) {
            return Int64(text).map { .seconds($0) }
        }
        return HTTPDate.parse(text).map { .seconds(max(0, $0 - now)) }
    }

    /// The field for a time to wait, in whole seconds, rounded up.
    static func text(_ duration: Duration) -> String {
        let parts = duration.components
        return String(max(0, parts.seconds + (parts.attoseconds > 0 ? 1 : 0)))
    }
}
