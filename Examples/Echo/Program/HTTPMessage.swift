import NIOCore
import NIOHTTP1

/// A request with its whole body.
struct HTTPRequest: Sendable {
    var method: HTTPMethod
    /// The path without query.
    var path: String
    var body: ByteBuffer
}

/// A response with its whole body.
struct HTTPResponse: Sendable {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: ByteBuffer

    init(_ status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    init(_ status: HTTPResponseStatus, json: ByteBuffer) {
        self.init(status, headers: ["content-type": "application/json"], body: json)
    }
}
