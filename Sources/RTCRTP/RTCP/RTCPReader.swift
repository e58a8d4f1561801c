/// Reads the packets of an RTCP datagram one after another, without allocating (RFC 3550 section 6.1).
///
///     var reader = RTCPReader()
///     while let packet = reader.next(in: datagram) { … }
///
/// Compound and reduced-size datagrams (RFC 5506) are read alike: any packet may be the first. A malformed packet ends the
/// reading, because where the next one begins is then in doubt; what was read before stands.
public struct RTCPReader: Sendable {
    private var offset = 0
    /// How many malformed packets were met: 0, or 1 once reading has ended at one.
    public private(set) var malformedCount = 0
    /// How many packets nobody here knows were given out as ``RTCPPacketView/unknown(_:)``.
    public private(set) var unknownCount = 0

    /// A reader at the start of a datagram.
    public init() {}

    /// The next packet; `nil` at the end.
    public mutating func next(in datagram: RawSpan) -> RTCPPacketView? {
        guard self.offset < datagram.byteCount else { return nil }
        guard let header = RTCPHeader(datagram, at: self.offset),
            let packet = RTCPPacketView(header, datagram)
        else {
            self.malformedCount += 1
            self.offset = .max
            return nil
        }
        self.offset = header.end
        if case .unknown = packet { self.unknownCount += 1 }
        return packet
    }
}
