import NIOCore
import RTCBase
import RTCICE
import Synchronization

/// One TCP connection with a peer: datagrams in frames of RFC 4571, each with its length before it.
///
/// Written to from any event loop. What a slow reader leaves in the way is bounded: beyond it datagrams are dropped and
/// counted, as on a full queue.
final class TCPConnection: Sendable {
    /// The candidate's address on this side: the listener's, or that of an active candidate.
    let base: TransportAddress
    /// The peer's address.
    let remote: TransportAddress
    private let channel: any Channel
    private let dropped = Atomic<UInt64>(0)

    /// Bytes that wait for a slow reader.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 64 << 10, high: 256 << 10)

    init(base: TransportAddress, remote: TransportAddress, channel: any Channel) {
        self.base = base
        self.remote = remote
        self.channel = channel
    }

    /// Datagrams that a slow reader left no room for.
    var droppedDatagrams: UInt64 { self.dropped.load(ordering: .relaxed) }

    func write(_ batch: DatagramBatch) {
        guard self.channel.isWritable else {
            self.dropped.wrappingAdd(UInt64(batch.count), ordering: .relaxed)
            return
        }
        var framed = ByteBufferAllocator().buffer(capacity: batch.bytes.readableBytes + 2 * batch.count)
        batch.forEachDatagram { datagram in
            framed.writeInteger(UInt16(clamping: datagram.readableBytes))
            framed.writeImmutableBuffer(datagram)
        }
        self.channel.writeAndFlush(framed, promise: nil)
    }

    func close() { self.channel.close(promise: nil) }
}

/// Cuts a stream of bytes into the frames of RFC 4571. Holds one frame at most, besides what was read at once.
struct FrameDecoder {
    private var buffer = ByteBuffer()

    mutating func append(_ bytes: ByteBuffer) {
        if self.buffer.readableBytes == 0 {
            self.buffer = bytes
        } else {
            self.buffer.discardReadBytes()
            self.buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The size of the next frame, once it is known.
    var nextLength: Int? {
        self.buffer.getInteger(at: self.buffer.readerIndex, as: UInt16.self).map { Int($0) }
    }

    /// The next frame, `nil` if it is not complete yet.
    mutating func next() -> ByteBuffer? {
        guard let length = self.nextLength,
            self.buffer.readableBytes >= 2 + length
        else { return nil }
        self.buffer.moveReaderIndex(forwardBy: 2)
        return self.buffer.readSlice(length: length)
    }
}

/// The end of a TCP connection's pipeline.
final class TCPConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// What happens on a connection, on its event loop.
    enum Happening {
        case frame(ByteBuffer)
        case readComplete
        case closed
    }

    private let limit: () -> Int
    private let report: (Happening) -> Void
    private var decoder = FrameDecoder()
    private var isOver = false

    /// - Parameter limit: The largest frame that is taken now; larger ones end the connection.
    init(limit: @escaping () -> Int = { .max }, report: @escaping (Happening) -> Void) {
        self.limit = limit
        self.report = report
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.decoder.append(self.unwrapInboundIn(data))
        // An empty frame says nothing (RFC 4571 section 2).
        while !self.isOver, let length = self.decoder.nextLength {
            guard length <= self.limit() else {
                self.finish()
                return context.close(promise: nil)
            }
            guard let frame = self.decoder.next() else { return }
            if frame.readableBytes > 0 { self.report(.frame(frame)) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !self.isOver { self.report(.readComplete) }
    }

    func channelInactive(context: ChannelHandlerContext) { self.finish() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.finish()
        context.close(promise: nil)
    }

    private func finish() {
        guard !self.isOver else { return }
        self.isOver = true
        self.report(.closed)
    }
}
