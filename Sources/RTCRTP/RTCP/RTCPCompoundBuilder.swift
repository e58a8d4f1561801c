public import NIOCore

/// Puts RTCP packets into one datagram of limited size.
///
/// A compound datagram begins with a report, and each reporting SSRC has its CNAME in it (RFC 3550 section 6.1): without a
/// report of the caller's an empty receiver report is written, and the CNAMEs always. A reduced-size one (RFC 5506) has
/// only what is appended.
public struct RTCPCompoundBuilder: Sendable {
    /// The most bytes that the datagram may have, what SRTCP adds not included.
    public let maximumSize: Int
    /// Whether the datagram may lack report and CNAME.
    public let isReducedSize: Bool
    private let sender: SSRC
    private let cname: String
    private var buffer: ByteBuffer
    private var hasReport = false
    // The last SSRC whose CNAME was written; a report of another one needs its own.
    private var named: SSRC?

    /// Begins a datagram.
    ///
    /// - Parameters:
    ///   - sender: The SSRC that reports.
    ///   - cname: The name of all that report; not written into a reduced-size datagram.
    ///   - maximumSize: In bytes, what SRTCP adds not included.
    ///   - isReducedSize: Whether `rtcp-rsize` was agreed and nothing but feedback is to be sent.
    public init(
        sender: SSRC,
        cname: String,
        maximumSize: Int = 1200,
        isReducedSize: Bool = false,
        allocator: ByteBufferAllocator = .init()
    ) {
        self.sender = sender
        self.cname = cname
        self.maximumSize = maximumSize
        self.isReducedSize = isReducedSize
        self.buffer = allocator.buffer(capacity: min(max(maximumSize, 0), 1500))
    }

    /// Whether nothing was appended.
    public var isEmpty: Bool { self.buffer.readableBytes == 0 }
    /// The datagram's size so far, in bytes.
    public var size: Int { self.buffer.readableBytes }

    /// Appends SR, and RRs for blocks that it has no room for. It is to be the first; later ones are for further streams.
    ///
    /// - Returns: `false`, with nothing appended, if it does not fit.
    public mutating func appendSenderReport(
        ssrc: SSRC? = nil,
        info: RTCPSenderInfo,
        blocks: [RTCPReportBlock] = []
    ) -> Bool {
        let ssrc = ssrc ?? self.sender
        return self.appendReport(of: ssrc) { buffer in
            buffer.writeRTCPSenderReport(ssrc: ssrc, info: info, blocks: blocks)
            buffer.writeFurtherReports(ssrc: ssrc, blocks: blocks)
        }
    }

    /// Appends RR, and more of them if there are more than 31 blocks.
    ///
    /// - Returns: `false`, with nothing appended, if it does not fit.
    public mutating func appendReceiverReport(blocks: [RTCPReportBlock] = []) -> Bool {
        let sender = self.sender
        return self.appendReport(of: sender) { buffer in
            buffer.writeRTCPReceiverReport(ssrc: sender, blocks: blocks)
            buffer.writeFurtherReports(ssrc: sender, blocks: blocks)
        }
    }

    /// Appends what `write` writes: packets other than reports.
    ///
    ///     builder.append { $0.writeRTCPPictureLossIndication(sender: own, media: stream) }
    ///
    /// - Returns: `false`, with nothing appended, if it does not fit.
    public mutating func append(_ write: (inout ByteBuffer) -> Void) -> Bool {
        self.withinLimit { builder in
            if !builder.isReducedSize, !builder.hasReport {
                builder.buffer.writeRTCPReceiverReport(ssrc: builder.sender)
                builder.noteReport(of: builder.sender)
            }
            write(&builder.buffer)
        }
    }

    /// The datagram; `nil` if nothing was appended.
    public func finish() -> ByteBuffer? { self.isEmpty ? nil : self.buffer }

    private mutating func appendReport(of ssrc: SSRC, _ write: (inout ByteBuffer) -> Void) -> Bool {
        self.withinLimit { builder in
            write(&builder.buffer)
            builder.noteReport(of: ssrc)
        }
    }

    private mutating func noteReport(of ssrc: SSRC) {
        self.hasReport = true
        guard !self.isReducedSize, self.named != ssrc else { return }
        self.buffer.writeRTCPSourceDescription(cname: self.cname, of: CollectionOfOne(ssrc))
        self.named = ssrc
    }

    private mutating func withinLimit(_ write: (inout RTCPCompoundBuilder) -> Void) -> Bool {
        let end = self.buffer.writerIndex
        let before = (self.hasReport, self.named)
        write(&self)
        guard self.buffer.readableBytes > self.maximumSize else { return true }
        self.buffer.moveWriterIndex(to: end)
        (self.hasReport, self.named) = before
        return false
    }
}

extension ByteBuffer {
    fileprivate mutating func writeFurtherReports(ssrc: SSRC, blocks: [RTCPReportBlock]) {
        var rest = blocks.dropFirst(31)
        while !rest.isEmpty {
            self.writeRTCPReceiverReport(ssrc: ssrc, blocks: rest)
            rest = rest.dropFirst(31)
        }
    }
}
