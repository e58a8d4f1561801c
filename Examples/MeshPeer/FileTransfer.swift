import ExampleSupport
import Foundation
import NIOCore
import RTCRooms
import WebRTC

/// Small files, each over a channel of its own: a JSON text with name and size, the bytes in pieces, and a text back when all came.
enum FileTransfer {
    static let label = "file"
    /// The largest file that is taken, in bytes.
    static let largest = 64 << 20
    private static let piece = 16 << 10

    /// Sends a file; returns when the other side has it.
    static func send(_ path: String, over connection: RTCPeerConnection) async throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw ExampleFailure("cannot be read") }
        let channel = try await connection.createDataChannel(self.label)
        let name = URL(fileURLWithPath: path).lastPathComponent
        let head: JSONValue = ["name": .string(name), "size": .integer(Int64(data.count))]
        try await channel.send(head.text)
        var rest = ByteBuffer(bytes: data)
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(self.piece, rest.readableBytes)) {
            try await channel.send(piece)
        }
        for try await _ in channel.messages {
            channel.close()
            return
        }
        throw ExampleFailure("the channel was closed before the other side had all of it")
    }

    /// Takes a file. What comes of it is told the sender by `confirm`, or by closing the channel.
    static func receive(from channel: RTCDataChannel) async throws -> (name: String, bytes: ByteBuffer) {
        var messages = channel.messages.makeAsyncIterator()
        guard let text = try await messages.next()?.text, let head = JSONValue(parsing: text),
            let name = head["name"]?.stringValue, let size = head["size"]?.integerValue,
            (0...self.largest).contains(size)
        else {
            throw ExampleFailure("there is no name and size of it, or it is too large")
        }
        var bytes = ByteBuffer()
        while bytes.readableBytes < size, let message = try await messages.next() {
            bytes.writeImmutableBuffer(message.bytes)
            guard bytes.readableBytes <= size else { break }
        }
        guard bytes.readableBytes == size else {
            throw ExampleFailure("\(bytes.readableBytes) of \(size) bytes came")
        }
        return (name, bytes)
    }

    /// Tells the sender that its file is kept.
    static func confirm(on channel: RTCDataChannel) async throws { try await channel.send("received") }
}
