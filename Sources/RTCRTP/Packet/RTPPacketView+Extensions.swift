extension RTPPacketView {
    /// The elements of the header extension, in the order sent; none unless they are in a form of RFC 8285.
    ///
    ///     var elements = view.extensions
    ///     while let element = elements.next(in: packet) { … }
    public var extensions: HeaderExtensionIterator {
        HeaderExtensionIterator(form: self.extensionForm, range: self.extensionRange)
    }

    /// Where the bytes of the first element with this id lie; `nil` if there is none.
    ///
    /// Bytes of this range may be overwritten in place.
    public func extensionRange(id: UInt8, in packet: RawSpan) -> Range<Int>? {
        var elements = self.extensions
        while let element = elements.next(in: packet) {
            if element.id == id { return element.range }
        }
        return nil
    }

    /// Whether there is an element with this id.
    public func hasExtension(id: UInt8, in packet: RawSpan) -> Bool {
        self.extensionRange(id: id, in: packet) != nil
    }

    /// The value of a known extension; `nil` if its id was not agreed, it is not there, or it is malformed.
    public func value<Value: HeaderExtensionValue>(
        _ type: Value.Type = Value.self,
        in packet: RawSpan,
        map: HeaderExtensionMap
    ) -> Value? {
        guard let id = map[Value.kind], let range = self.extensionRange(id: id, in: packet) else { return nil }
        return Value(packet.extracting(packet.clamped(range)))
    }
}
