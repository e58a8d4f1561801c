#if os(Linux)
import Foundation
import Glibc
import NIOCore
import RTCBase
import RTCDTLS
import Testing

/// The `openssl` program as the peer, over loopback; in real time.
@Suite("DTLS with the openssl program", .enabled(if: OpenSSLProgram.isThere), .serialized)
struct OpenSSLInteropTests {
    @Test("a client talks to s_server, with and without its cookie exchange", arguments: [false, true], [false, true])
    func server(listens: Bool, peerHasRSA: Bool) throws {
        let peer = peerHasRSA ? Samples.otherRSA : Samples.otherECDSA
        let port = try LoopbackSocket().port
        var arguments = [
            "s_server", "-dtls1_2", "-accept", "127.0.0.1:\(port)", "-Verify", "1", "-quiet", "-mtu", "1200",
            "-use_srtp", "SRTP_AES128_CM_SHA1_80",
        ]
        if listens { arguments.append("-listen") }
        let program = try OpenSSLProgram(arguments, certificate: peer)
        let socket = try LoopbackSocket()
        socket.peerPort = port
        let connection = try DTLSConnection(
            context: DTLSContext(certificate: Samples.ecdsa),
            role: .client,
            remoteFingerprints: [peer.fingerprint()]
        )
        let received = try socket.drive(connection) { connection, received in
            if connection.state == .connected { try program.say("hello") }
            return received == Array("hello\n".utf8)
        }
        #expect(received == Array("hello\n".utf8), "\(String(describing: connection.failure))")
        #expect(connection.sessionInfo?.srtpProfile == .aes128CMSHA1_80)
        #expect(try connection.exportSRTPKeys().clientWriteKey.count == 16)
    }

    @Test("a server talks to s_client", arguments: [false, true])
    func client(peerHasRSA: Bool) throws {
        let peer = peerHasRSA ? Samples.otherRSA : Samples.otherECDSA
        let socket = try LoopbackSocket()
        let program = try OpenSSLProgram(
            ["s_client", "-dtls1_2", "-connect", "127.0.0.1:\(socket.port)", "-quiet", "-mtu", "1200"],
            certificate: peer
        )
        let connection = try DTLSConnection(
            context: DTLSContext(certificate: Samples.rsa),
            role: .server,
            remoteFingerprints: [peer.fingerprint()]
        )
        let received = try socket.drive(connection) { connection, received in
            if connection.state == .connected { try program.say("hello") }
            return received == Array("hello\n".utf8)
        }
        #expect(received == Array("hello\n".utf8), "\(String(describing: connection.failure))")
        #expect(connection.sessionInfo?.srtpProfile == nil)
        #expect(connection.sessionInfo?.peerCertificates == [peer.derBytes])
    }
}

private final class OpenSSLProgram {
    static let path = "/usr/bin/openssl"
    static var isThere: Bool { FileManager.default.isExecutableFile(atPath: Self.path) }

    private let process = Process()
    private let input = Pipe()
    private let folder: URL
    private var hasSpoken = false

    init(_ arguments: [String], certificate: DTLSCertificate) throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let file = self.folder.appendingPathComponent("certificate.pem")
        try certificate.pem.write(to: file, atomically: true, encoding: .utf8)
        self.process.executableURL = URL(fileURLWithPath: Self.path)
        self.process.arguments = arguments + ["-cert", file.path, "-key", file.path]
        self.process.standardInput = self.input
        self.process.standardOutput = FileHandle.nullDevice
        self.process.standardError = FileHandle.nullDevice
        try self.process.run()
    }

    func say(_ line: String) throws {
        guard !self.hasSpoken else { return }
        self.hasSpoken = true
        try self.input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    deinit {
        // Not SIGTERM: the program inherits a thread's mask that blocks it.
        kill(self.process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: self.folder)
    }
}

/// A UDP socket on 127.0.0.1.
private final class LoopbackSocket {
    private let descriptor: Int32
    let port: UInt16
    /// Where to send; learned from what arrives when `nil`.
    var peerPort: UInt16?

    init() throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = Self.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bound in
                bind(descriptor, bound, length) == 0 ? getsockname(descriptor, bound, &length) : -1
            }
        }
        self.port = UInt16(bigEndian: address.sin_port)
        try #require(result == 0)
    }

    deinit { close(self.descriptor) }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Serves a connection until `isDone`, for 10 s at most; returns the bytes that arrived.
    func drive(_ connection: DTLSConnection, until isDone: (DTLSConnection, [UInt8]) throws -> Bool) rethrows -> [UInt8]
    {
        let begin = NIODeadline.now()
        var received: [UInt8] = []
        connection.start(now: begin)
        while try !isDone(connection, received), NIODeadline.now() - begin < .seconds(10) {
            while let output = connection.poll() {
                guard case .transmit(let batch) = output else { continue }
                batch.forEachDatagram { self.send(Array($0.readableBytesView)) }
            }
            if let datagram = self.receive(milliseconds: 5) {
                datagram.withUnsafeBytes { bytes in
                    connection.receive(bytes, now: .now()) { record in
                        received += record.withUnsafeBytes { Array($0) }
                    }
                }
            }
            if let due = connection.nextTimeout, due <= .now() { connection.handleTimeout(now: .now()) }
        }
        return received
    }

    private func send(_ datagram: [UInt8]) {
        guard let peerPort = self.peerPort else { return }
        var address = Self.address(port: peerPort)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(self.descriptor, datagram, datagram.count, 0, $0, length)
            }
        }
    }

    private func receive(milliseconds: Int32) -> [UInt8]? {
        var waiting = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&waiting, 1, milliseconds) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let count = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, 0, $0, &length)
            }
        }
        guard count > 0 else { return nil }
        self.peerPort = UInt16(bigEndian: address.sin_port)
        return Array(bytes.prefix(count))
    }
}
#endif
