internal import Foundation

/// FFmpeg's programs, where they are installed.
package enum FFmpeg {
    package static let isThere = find("ffmpeg") != nil && find("ffprobe") != nil

    private static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    package struct Failure: Error, CustomStringConvertible { package var description: String }

    /// Runs `ffmpeg` or `ffprobe` to its end; returns what it printed.
    @discardableResult
    package static func run(_ name: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: find(name) ?? name)
        process.arguments = arguments
        let (output, errors) = (
            Pipe(), FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        )
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let complaint = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
        // The programs also return 0 for files in which they had to pass over something.
        guard process.terminationStatus == 0, !complaint.contains("Invalid data") else {
            throw Failure(description: "\(name) \(arguments.joined(separator: " ")): \(complaint)")
        }
        return text
    }

    /// What `ffprobe` says of each packet: key and value.
    package static func packets(_ path: String, stream: String = "0") throws -> [[String: String]] {
        let entries = "packet=pts_time,dts_time,duration_time,size,flags"
        let text = try run(
            "ffprobe",
            ["-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "compact", path]
        )
        return text.split(separator: "\n").map(fields)
    }

    /// What `ffprobe` says of the streams.
    package static func streams(_ path: String) throws -> [[String: String]] {
        let text = try run("ffprobe", ["-v", "error", "-show_streams", "-of", "compact", path])
        return text.split(separator: "\n").filter { $0.hasPrefix("stream") }.map(fields)
    }

    private static func fields(_ line: Substring) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in line.split(separator: "|").dropFirst() {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
        return fields
    }

    /// Decodes the whole file; throws if the decoder complains.
    package static func decode(_ path: String) throws {
        let complaints = try run("ffmpeg", ["-v", "error", "-xerror", "-i", path, "-f", "null", "-"])
        guard complaints.isEmpty else { throw Failure(description: complaints) }
    }
}
