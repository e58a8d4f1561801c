import Foundation

/// What Linux says of another process; zeros where it says nothing.
struct ProcessStatistics {
    /// Processor time so far, in seconds.
    var processorSeconds = 0.0
    /// Resident memory, in bytes.
    var residentBytes = 0

    /// Reads `/proc/…/stat`.
    init(_ process: Int32) {
        let path = "/proc/\(process)/stat"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let end = text.lastIndex(of: ")") else {
            return
        }
        // The fields behind the name.
        let fields = text[end...].dropFirst(2).split(separator: " ")
        guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]) else { return }
        self.processorSeconds = (user + system) / 100
        self.residentBytes = (Int(fields[21]) ?? 0) * 4_096
    }
}
