import ExampleSupport
import Foundation
import NIOCore

/// A script that is served as it is.
enum ScriptFile {
    static func read(_ path: String) throws -> ByteBuffer {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ExampleFailure("cannot read \(path)")
        }
        return ByteBuffer(bytes: bytes)
    }
}
