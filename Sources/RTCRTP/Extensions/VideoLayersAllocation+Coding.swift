extension VideoLayersAllocation: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.videoLayersAllocation

    /// Reads an allocation; `nil` if it is cut short. A lone zero says that nothing is sent.
    public init?(_ bytes: RawSpan) {
        guard let head: UInt8 = bytes.networkOrder(at: 0) else { return nil }
        let index = Int(head >> 6)
        let count = Int(head >> 4 & 3) + 1
        if head == 0, bytes.byteCount == 1 {
            self.init(streamIndex: 0, streamCount: 1, layers: [])
            return
        }
        var offset = 1
        guard var layers = Self.readMasks(head & 0xF, streamCount: count, in: bytes, at: &offset),
            Self.readBitrates(of: &layers, in: bytes, at: &offset)
        else { return nil }
        if offset < bytes.byteCount {
            guard Self.readResolutions(of: &layers, in: bytes, at: &offset) else { return nil }
        }
        self.init(streamIndex: index, streamCount: count, layers: layers)
    }

    private static func readMasks(
        _ common: UInt8,
        streamCount: Int,
        in bytes: RawSpan,
        at offset: inout Int
    ) -> [SpatialLayer]? {
        var layers: [SpatialLayer] = []
        for stream in 0..<streamCount {
            var mask = common
            if common == 0 {
                // Two streams share a byte, the first one in its upper half.
                guard let pair: UInt8 = bytes.networkOrder(at: offset + stream / 2) else { return nil }
                mask = stream % 2 == 0 ? pair >> 4 : pair & 0xF
            }
            for spatialID in 0..<4 where mask >> UInt8(spatialID) & 1 != 0 {
                layers.append(SpatialLayer(streamIndex: stream, spatialID: spatialID, bitrates: []))
            }
        }
        if common == 0 { offset += (streamCount + 1) / 2 }
        return layers
    }

    private static func readBitrates(
        of layers: inout [SpatialLayer],
        in bytes: RawSpan,
        at offset: inout Int
    ) -> Bool {
        let counts = offset
        offset += (layers.count + 3) / 4
        for index in layers.indices {
            guard let four: UInt8 = bytes.networkOrder(at: counts + index / 4) else { return false }
            for _ in 0...(four >> UInt8(6 - 2 * (index % 4)) & 3) {
                guard let rate = Self.readLEB128(in: bytes, at: &offset) else { return false }
                layers[index].bitrates.append(rate)
            }
        }
        return true
    }

    private static func readResolutions(
        of layers: inout [SpatialLayer],
        in bytes: RawSpan,
        at offset: inout Int
    ) -> Bool {
        for index in layers.indices {
            guard let size: UInt32 = bytes.networkOrder(at: offset),
                let rate: UInt8 = bytes.networkOrder(at: offset + 4)
            else { return false }
            layers[index].resolution = Resolution(
                width: Int(size >> 16) + 1,
                height: Int(size & 0xFFFF) + 1,
                maximumFrameRate: rate
            )
            offset += 5
        }
        return true
    }

    private static func readLEB128(in bytes: RawSpan, at offset: inout Int) -> UInt32? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            guard let byte: UInt8 = bytes.networkOrder(at: offset) else { return nil }
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return UInt32(exactly: value) }
        }
        return nil
    }

    public var byteCount: Int {
        var count = 0
        self.write { _ in count += 1 }
        return count
    }

    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        var offset = 0
        self.write { byte in
            bytes[offset] = byte
            offset += 1
        }
    }

    private func write(_ put: (UInt8) -> Void) {
        guard !self.layers.isEmpty else { return put(0) }
        let masks = (0..<self.streamCount).map(self.spatialMask)
        let isCommon = masks.allSatisfy { $0 == masks[0] }
        put(UInt8(self.streamIndex << 6 | (self.streamCount - 1) << 4) | (isCommon ? masks[0] : 0))
        if !isCommon {
            for stream in stride(from: 0, to: masks.count, by: 2) {
                put(masks[stream] << 4 | (stream + 1 < masks.count ? masks[stream + 1] : 0))
            }
        }
        for start in stride(from: 0, to: self.layers.count, by: 4) {
            let four = self.layers[start...].prefix(4).enumerated()
            put(four.reduce(0) { $0 | UInt8($1.element.bitrates.count - 1) << UInt8(6 - 2 * $1.offset) })
        }
        for layer in self.layers {
            for rate in layer.bitrates { Self.writeLEB128(rate, put) }
        }
        for case let resolution? in self.layers.map(\.resolution) {
            for number in [resolution.width - 1, resolution.height - 1] {
                put(UInt8(number >> 8))
                put(UInt8(number & 0xFF))
            }
            put(resolution.maximumFrameRate)
        }
    }

    private static func writeLEB128(_ value: UInt32, _ put: (UInt8) -> Void) {
        var rest = value
        while rest >= 0x80 {
            put(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        put(UInt8(rest))
    }
}
