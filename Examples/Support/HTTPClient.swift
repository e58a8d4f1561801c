package import NIOCore
import NIOHTTP1
import NIOPosix

/// Posts one request and reads one response.
package enum HTTPClient {
    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// The largest response body in bytes.
    private static let largestBody = 1 << 20

    /// Posts JSON.
    ///
    /// - Throws: ``ExampleFailure`` if the server cannot be reached or its response is no HTTP.
    package static func post(_ body: ByteBuffer, to url: HTTPURL) async throws(ExampleFailure) -> HTTPResponse {
        let connection: Connection
        do {
            connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: url.host, port: url.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw ExampleFailure("cannot connect to \(url.authority): \(Self.explain(error))")
        }
        do {
            return try await connection.executeThenClose { inbound, outbound in
                try await outbound.write(contentsOf: [.head(Self.head(url, body)), .body(.byteBuffer(body)), .end(nil)])
                return try await Self.read(inbound)
            }
        } catch let failure as ExampleFailure {
            throw failure
        } catch {
            throw ExampleFailure("\(url.authority) did not respond: \(error)")
        }
    }

    private static func head(_ url: HTTPURL, _ body: ByteBuffer) -> HTTPRequestHead {
        HTTPRequestHead(
            version: .http1_1,
            method: .POST,
            uri: url.path,
            headers: [
                "host": url.authority,
                "content-type": "application/json",
                "content-length": String(body.readableBytes),
                "connection": "close",
            ]
        )
    }

    private static func read(_ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> HTTPResponse
    {
        var response: HTTPResponse?
        for try await part in parts {
            switch part {
            case .head(let head):
                // Interim responses only say that the final one will come.
                if head.status.code >= 200 { response = HTTPResponse(head.status, headers: head.headers) }
            case .body(let bytes):
                response?.body.writeImmutableBuffer(bytes)
                guard (response?.body.readableBytes ?? 0) <= Self.largestBody else {
                    throw ExampleFailure("the response is larger than \(Self.largestBody) bytes")
                }
            case .end:
                if let response { return response }
            }
        }
        throw ExampleFailure("the server closed the connection without a response")
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case let failure as NIOConnectionError:
            let reason = failure.connectionErrors.first.map { Self.explain($0.error) }
            return reason ?? "the name \(failure.host) has no address"
        case let failure as IOError where failure.errnoCode == ECONNREFUSED:
            return "connection refused"
        default:
            return String(describing: error)
        }
    }
}
