/// Writes one RTP packet into memory of the caller's, without allocating: header, header extensions, payload, padding, in
/// this order.
///
/// The header extension has the one-byte form unless an element needs the other one; then what was written before is
/// turned into the two-byte form. What does not fit makes ``finish(paddingSize:)`` return `nil`, so the steps need no
/// checking.
public struct RTPPacketWriter {
    private let bytes: UnsafeMutableRawBufferPointer
    // How far the packet reaches so far; while elements are appended, without the padding that will follow them.
    private var offset: Int
    private var isExtensionOpen = true
    private var hasFailed = false
    // Where the header extension begins; its four bytes are written when its first element is.
    private let extensionStart: Int
    private var form: HeaderExtensionForm?

    /// Begins a packet at the start of `bytes`.
    ///
    /// - Parameter contributingSources: At most 15; more make the packet fail.
    public init(
        _ bytes: UnsafeMutableRawBufferPointer,
        header: RTPHeader,
        contributingSources: some Collection<SSRC> = EmptyCollection()
    ) {
        self.bytes = bytes
        let count = contributingSources.count
        self.extensionStart = RTPHeader.fixedSize + 4 * count
        self.offset = self.extensionStart
        guard count <= 15, self.offset <= bytes.count else {
            self.hasFailed = true
            return
        }
        bytes[0] = 0x80 | UInt8(count)
        RTPPacketView.setHeader(header, in: bytes)
        var position = RTPHeader.fixedSize
        for source in contributingSources {
            bytes.setNetworkOrder(source.rawValue, at: position)
            position += 4
        }
    }

    /// The packet's size so far, in bytes.
    public var size: Int { self.offset }
    /// How many bytes of payload and padding fit behind what is written.
    public var remaining: Int {
        self.hasFailed ? 0 : max(0, self.bytes.count - self.offset - self.extensionPadding)
    }

    /// Appends an element to the header extension.
    public mutating func appendExtension(id: UInt8, bytes: RawSpan) {
        self.appendExtension(id: id, size: bytes.byteCount) { slot in
            bytes.withUnsafeBytes { slot.copyMemory(from: $0) }
        }
    }

    /// Appends a value to the header extension.
    public mutating func appendExtension(_ value: some HeaderExtensionValue, id: UInt8) {
        self.appendExtension(id: id, size: value.byteCount) { value.write(into: $0) }
    }

    /// Appends a value to the header extension under the id agreed for it; does nothing if none is.
    public mutating func appendExtension(_ value: some HeaderExtensionValue, map: HeaderExtensionMap) {
        guard let id = map[type(of: value).kind] else { return }
        self.appendExtension(value, id: id)
    }

    /// Appends the elements of another packet's header extension that `remap` has an id for.
    public mutating func appendExtensions(
        of view: RTPPacketView,
        in packet: RawSpan,
        remap: HeaderExtensionRemap
    ) {
        var elements = view.extensions
        while let element = elements.next(in: packet) {
            guard let id = remap[element.id] else { continue }
            self.appendExtension(id: id, bytes: packet.extracting(packet.clamped(element.range)))
        }
    }

    /// Appends an element of `size` bytes, which `fill` writes.
    mutating func appendExtension(id: UInt8, size: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard self.isExtensionOpen, HeaderExtensionForm.twoByte.fits(id: id, size: size) else {
            self.hasFailed = true
            return
        }
        if !HeaderExtensionForm.oneByte.fits(id: id, size: size) { self.turnIntoTwoByteForm() }
        guard let form = self.openExtension(), self.reserve(form.elementHeaderSize + size) else { return }
        let start = self.offset - size
        if form == .oneByte {
            self.bytes[start - 1] = id << 4 | UInt8(size - 1)
        } else {
            self.bytes[start - 2] = id
            self.bytes[start - 1] = UInt8(size)
        }
        fill(UnsafeMutableRawBufferPointer(rebasing: self.bytes[start..<self.offset]))
    }

    /// Appends bytes to the payload. Nothing can be added to the header extension afterwards.
    public mutating func appendPayload(_ payload: RawSpan) {
        self.closeExtension()
        guard self.reserve(payload.byteCount) else { return }
        let slot = UnsafeMutableRawBufferPointer(
            rebasing: self.bytes[self.offset - payload.byteCount..<self.offset]
        )
        payload.withUnsafeBytes { slot.copyMemory(from: $0) }
    }

    /// Appends the sequence number that a retransmission's payload begins with (RFC 4588 section 4).
    public mutating func appendOriginalSequenceNumber(_ number: UInt16) {
        self.closeExtension()
        guard self.reserve(2) else { return }
        self.bytes.setNetworkOrder(number, at: self.offset - 2)
    }

    /// Ends the packet.
    ///
    /// - Parameter paddingSize: How many bytes of padding to append, 0 to 255, the one that counts them included.
    /// - Returns: The packet's size in bytes; `nil` if it did not fit or a step was not allowed.
    public mutating func finish(paddingSize: Int = 0) -> Int? {
        self.closeExtension()
        guard (0...255).contains(paddingSize), self.reserve(paddingSize) else { return nil }
        if paddingSize > 0 {
            self.bytes[0] |= 0x20
            for offset in self.offset - paddingSize..<self.offset { self.bytes[offset] = 0 }
            self.bytes[self.offset - 1] = UInt8(paddingSize)
        }
        return self.offset
    }

    private mutating func reserve(_ count: Int) -> Bool {
        guard !self.hasFailed, count <= self.bytes.count - self.offset else {
            self.hasFailed = true
            return false
        }
        self.offset += count
        return true
    }

    private mutating func openExtension() -> HeaderExtensionForm? {
        if let form = self.form { return form }
        guard self.reserve(4) else { return nil }
        self.form = .oneByte
        return .oneByte
    }

    private mutating func turnIntoTwoByteForm() {
        guard self.openExtension() == .oneByte else { return }
        self.form = .twoByte
        var position = self.extensionStart + 4
        while position < self.offset {
            let first = self.bytes[position]
            let length = first & 0xF + 1
            guard self.reserve(1), let base = self.bytes.baseAddress else { return }
            let next = base + position + 1
            (next + 1).copyMemory(from: next, byteCount: self.offset - position - 2)
            self.bytes[position] = first >> 4
            self.bytes[position + 1] = length
            position += 2 + Int(length)
        }
    }

    private var extensionPadding: Int {
        self.isExtensionOpen && self.form != nil ? -(self.offset - self.extensionStart) & 3 : 0
    }

    private mutating func closeExtension() {
        guard self.isExtensionOpen else { return }
        let padding = self.extensionPadding
        self.isExtensionOpen = false
        guard let form = self.form, self.reserve(padding) else { return }
        for offset in self.offset - padding..<self.offset { self.bytes[offset] = 0 }
        let words = (self.offset - self.extensionStart) / 4 - 1
        guard words <= UInt16.max else {
            self.hasFailed = true
            return
        }
        self.bytes[0] |= 0x10
        self.bytes.setNetworkOrder(form.profile, at: self.extensionStart)
        self.bytes.setNetworkOrder(UInt16(words), at: self.extensionStart + 2)
    }
}
