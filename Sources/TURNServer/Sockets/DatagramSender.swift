internal import CRTCSockets
internal import RTCBase

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Collects datagrams and sends them in as few system calls as the kernel allows. Confined to its shard.
final class DatagramSender {
    private let sender: OpaquePointer

    init(capacity: Int) throws {
        guard let sender = crtc_sender_new(CInt(capacity)) else { throw SocketError(number: ENOMEM) }
        self.sender = sender
    }

    deinit { crtc_sender_free(self.sender) }

    var isEmpty: Bool { crtc_sender_is_empty(self.sender) }

    /// Adds a datagram. The head is copied; the body must stay where it is until ``flush(on:)``.
    ///
    /// - Returns: `false` if there is no more room: flush first.
    func add(
        to destination: TransportAddress,
        head: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        body: UnsafeRawBufferPointer,
        padding: Int = 0
    ) -> Bool {
        var target = destination.cAddress
        return crtc_sender_add(
            self.sender,
            &target,
            head.baseAddress,
            head.count,
            body.baseAddress,
            body.count,
            padding
        )
    }

    /// Sends everything; how many datagrams could not be sent.
    func flush(on socket: DatagramSocket) -> Int {
        Int(crtc_sender_flush(self.sender, socket.descriptor))
    }
}
