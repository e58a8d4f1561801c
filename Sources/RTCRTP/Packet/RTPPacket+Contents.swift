public import NIOCore

extension RTPPacket {
    /// The payload, padding left out; shares its memory with the packet.
    public var payload: ByteBuffer {
        let range = self.view.payloadRange
        return self.buffer.getSlice(at: self.buffer.readerIndex + range.lowerBound, length: range.count)
            ?? ByteBuffer()
    }

    /// The sources that a mixer made this packet from, at most 15.
    public var contributingSources: [SSRC] {
        let span = self.buffer.readableBytesSpan
        return (0..<self.view.contributingSourceCount).compactMap { self.view.contributingSource(at: $0, in: span) }
    }

    /// The bytes of the first element with this id in the header extension; `nil` if there is none.
    public func extensionBytes(id: UInt8) -> ByteBuffer? {
        guard let range = self.view.extensionRange(id: id, in: self.buffer.readableBytesSpan) else { return nil }
        return self.buffer.getSlice(at: self.buffer.readerIndex + range.lowerBound, length: range.count)
    }

    /// The ids of the elements in the header extension, in the order sent.
    public var extensionIDs: [UInt8] {
        var ids: [UInt8] = []
        var elements = self.view.extensions
        while let element = elements.next(in: self.buffer.readableBytesSpan) { ids.append(element.id) }
        return ids
    }

    /// The value of a known extension; `nil` if its id was not agreed, it is not there, or it is malformed.
    public func value<Value: HeaderExtensionValue>(
        _ type: Value.Type = Value.self,
        map: HeaderExtensionMap
    ) -> Value? {
        self.view.value(type, in: self.buffer.readableBytesSpan, map: map)
    }

    /// Puts another payload into the packet. Padding goes.
    public mutating func setPayload(_ payload: ByteBuffer) {
        let head = self.view.headerSize
        var buffer = ByteBufferAllocator().buffer(capacity: head + payload.readableBytes)
        buffer.writeBytes(self.buffer.readableBytesSpan.extracting(..<head))
        buffer.writeImmutableBuffer(payload)
        buffer.withUnsafeMutableReadableBytes { $0[0] &= ~0x20 }
        _ = self.replace(buffer)
    }

    /// Lists other contributing sources in the packet.
    public mutating func setContributingSources(_ sources: [SSRC]) throws(RTPPacketError) {
        guard sources.count <= 15 else { throw .tooManyContributingSources }
        let old = RTPHeader.fixedSize + 4 * self.view.contributingSourceCount
        var buffer = ByteBufferAllocator().buffer(capacity: self.size - old + 12 + 4 * sources.count)
        buffer.writeBytes(self.buffer.readableBytesSpan.extracting(..<RTPHeader.fixedSize))
        for source in sources { buffer.writeInteger(source.rawValue) }
        buffer.writeBytes(self.buffer.readableBytesSpan.extracting(old...))
        buffer.withUnsafeMutableReadableBytes { $0[0] = $0[0] & 0xF0 | UInt8(sources.count) }
        _ = self.replace(buffer)
    }

    /// Pads the packet, in place of the padding it has.
    ///
    /// - Parameter size: 0 to 255 bytes, the one that counts them included.
    public mutating func setPadding(_ size: Int) throws(RTPPacketError) {
        guard (0...255).contains(size) else { throw .invalidPadding }
        var buffer = self.buffer
        buffer.moveWriterIndex(to: buffer.readerIndex + self.view.payloadRange.upperBound)
        buffer.withUnsafeMutableReadableBytes { $0[0] = $0[0] & ~0x20 | (size > 0 ? 0x20 : 0) }
        if size > 0 {
            buffer.writeRepeatingByte(0, count: size - 1)
            buffer.writeInteger(UInt8(size))
        }
        _ = self.replace(buffer)
    }

    /// Puts an element into the header extension, in place of the one with its id. An extension of another profile than
    /// those of RFC 8285 goes.
    ///
    /// - Parameter id: 1 to 255.
    public mutating func setExtension(id: UInt8, _ bytes: some Collection<UInt8>) throws(RTPPacketError) {
        guard HeaderExtensionForm.twoByte.fits(id: id, size: bytes.count) else { throw .invalidExtension }
        let value = Array(bytes)
        self.rewriteExtensions(adding: value.count, dropping: id) {
            $0.appendExtension(id: id, bytes: value.span.bytes)
        }
    }

    /// Puts a value into the header extension under the id agreed for it; does nothing if none is.
    public mutating func setExtension(_ value: some HeaderExtensionValue, map: HeaderExtensionMap) {
        guard let id = map[type(of: value).kind] else { return }
        self.rewriteExtensions(adding: value.byteCount, dropping: id) { $0.appendExtension(value, id: id) }
    }

    /// Takes all elements with this id out of the header extension.
    public mutating func removeExtension(id: UInt8) {
        guard self.view.hasExtension(id: id, in: self.buffer.readableBytesSpan) else { return }
        self.rewriteExtensions(adding: 0, dropping: id) { _ in }
    }

    private mutating func rewriteExtensions(
        adding size: Int,
        dropping id: UInt8,
        _ body: (inout RTPPacketWriter) -> Void
    ) {
        var remap = HeaderExtensionRemap()
        for other in UInt8(1)...255 where other != id { remap[other] = other }
        // An element may grow by a byte, each of the old ones too, and the whole to a multiple of four.
        let maximumSize = self.size + self.view.extensionRange.count + size + 12
        var buffer = ByteBufferAllocator().buffer(capacity: maximumSize)
        let sources = self.contributingSources
        let (view, old) = (self.view, self.buffer)
        buffer.writeRTPPacket(
            self.header,
            contributingSources: sources,
            maximumSize: maximumSize,
            paddingSize: self.view.paddingSize
        ) { writer in
            let packet = old.readableBytesSpan
            writer.appendExtensions(of: view, in: packet, remap: remap)
            body(&writer)
            writer.appendPayload(packet.extracting(packet.clamped(view.payloadRange)))
        }
        _ = self.replace(buffer)
    }
}
