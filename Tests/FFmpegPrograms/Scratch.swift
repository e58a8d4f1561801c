internal import Foundation

/// A directory that is gone with the test.
package final class Scratch {
    package let path: String

    package init() throws {
        self.path = FileManager.default.temporaryDirectory.appendingPathComponent("rtc-files-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    package func file(_ name: String) -> String { "\(self.path)/\(name)" }

    package func bytes(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: self.file(name))))
    }

    package func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: self.file(name)))
    }
}
