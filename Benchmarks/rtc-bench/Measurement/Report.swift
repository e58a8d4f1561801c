/// Named results, in the order they were added: a table for people or one JSON object.
struct Report {
    private enum Value {
        case number(Double)
        case integer(Int)
        case text(String)
        case object(String)

        var text: String {
            switch self {
            case .number(let number): return Self.format(number)
            case .integer(let integer): return String(integer)
            case .text(let text), .object(let text): return text
            }
        }

        var json: String {
            switch self {
            case .number(let number): return number.isFinite ? Self.format(number) : "null"
            case .integer(let integer): return String(integer)
            case .text(let text): return "\"\(text)\""
            case .object(let object): return object
            }
        }

        /// Six decimals and no exponent, which every JSON reader takes.
        private static func format(_ number: Double) -> String {
            let scaled = (abs(number) * 1e6).rounded()
            guard scaled < 9e18 else { return String(number) }
            let digits = Int(scaled)
            let fraction = String(digits % 1_000_000)
            let sign = number < 0 && digits > 0 ? "-" : ""
            return "\(sign)\(digits / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
        }
    }

    private var entries: [(name: String, value: Value)] = []

    mutating func add(_ name: String, _ number: Double) { self.entries.append((name, .number(number))) }
    mutating func add(_ name: String, _ integer: Int) { self.entries.append((name, .integer(integer))) }
    /// `text` holds nothing that JSON escapes.
    mutating func add(_ name: String, _ text: String) { self.entries.append((name, .text(text))) }
    /// `object` is JSON.
    mutating func add(_ name: String, json object: String) { self.entries.append((name, .object(object))) }

    /// One JSON object on one line.
    var json: String { "{" + self.entries.map { "\"\($0.name)\":\($0.value.json)" }.joined(separator: ",") + "}" }

    /// One result a line.
    var text: String {
        let width = self.entries.map(\.name.count).max() ?? 0
        return self.entries.map { entry in
            entry.name + String(repeating: " ", count: width - entry.name.count + 2) + entry.value.text
        }.joined(separator: "\n")
    }

    /// Prints the results, and as JSON on the last line if asked for.
    func print(json: Bool) { StandardOutput.write(json ? self.json : self.text) }
}
