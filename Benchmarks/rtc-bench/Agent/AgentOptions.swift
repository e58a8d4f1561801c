#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The `name=value` settings of a measurement; unknown ones are left to the other side.
struct AgentOptions: Sendable {
    private let values: [String: String]

    init(_ settings: [String]) {
        var values: [String: String] = [:]
        for setting in settings {
            guard let equals = setting.firstIndex(of: "=") else { continue }
            values[String(setting[..<equals])] = String(setting[setting.index(after: equals)...])
        }
        self.values = values
    }

    func number(_ name: String, _ standard: Double) -> Double { self.values[name].flatMap(Double.init) ?? standard }

    func integer(_ name: String, _ standard: Int) -> Int {
        Int(exactly: self.number(name, Double(standard)).rounded()) ?? standard
    }

    /// The IP address to use.
    static var address: String {
        guard let value = getenv("AGENT_ADDRESS") else { return "127.0.0.1" }
        return String(cString: value)
    }
}

/// The process of an agent.
enum AgentProcess {
    /// Ends it without closing connections one by one.
    static func exit() -> Never { _exit(0) }
}
