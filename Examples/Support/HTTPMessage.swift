package import NIOCore
package import NIOHTTP1

/// A request with its whole body.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    /// The path without query.
    package var path: String
    package var body: ByteBuffer
}

/// A response with its whole body.
package struct HTTPResponse: Sendable {
    package var status: HTTPResponseStatus
    package var headers: HTTPHeaders
    package var body: ByteBuffer

    package init(_ status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package init(_ status: HTTPResponseStatus, json: ByteBuffer) {
        self.init(status, headers: ["content-type": "application/json"], body: json)
    }
}
