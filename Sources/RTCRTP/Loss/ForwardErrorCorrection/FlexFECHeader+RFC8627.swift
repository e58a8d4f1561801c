// RFC 8627 section 4.2.2: R, F, recovery fields; then SN base and, with F = 0, a mask in which a set k bit goes on, with
// F = 1 the numbers of columns and rows.

extension FlexFECHeader {
    private static let baseOffset = 8
    private static let columnsOffset = 10
    private static let rowsOffset = 11

    static func parseRFC8627(_ payload: RawSpan, size: inout Int) -> Result<FlexFECHeader, Failure> {
        guard let (kind, recovery) = self.parseRecovery(payload),
            let base: UInt16 = payload.networkOrder(at: self.baseOffset)
        else { return .failure(.malformed) }
        var header = FlexFECHeader(recovery: recovery, ssrc: nil, base: base, mask: FlexFECMask())
        switch kind {
        case 0b00:
            var offset = FlexFECForm.rfc8627.sizeBeforeMask
            guard let mask = FlexFECMask(payload, at: &offset, form: .rfc8627) else { return .failure(.malformed) }
            header.mask = mask
            size = offset
        case 0b01:
            guard let columns: UInt8 = payload.networkOrder(at: self.columnsOffset),
                let rows: UInt8 = payload.networkOrder(at: self.rowsOffset)
            else { return .failure(.malformed) }
            guard let mask = self.mask(columns: Int(columns), rows: Int(rows)) else {
                return .failure(.impossibleMask)
            }
            header.mask = mask
            size = self.rowsOffset + 1
        default: return .failure(.unsupported)
        }
        return .success(header)
    }

    /// The packets of a row (up to one row) or of a column (section 4.2.2.2); `nil` if they do not fit into a mask.
    private static func mask(columns: Int, rows: Int) -> FlexFECMask? {
        guard columns > 0 else { return nil }
        let count = rows > 1 ? rows : columns
        let step = rows > 1 ? columns : 1
        guard (count - 1) * step < FlexFECMask.capacity else { return nil }
        return FlexFECMask((0..<count).lazy.map { $0 * step })
    }

    func writeRFC8627(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.setNetworkOrder(self.base, at: Self.baseOffset)
        self.mask.write(into: bytes, at: FlexFECForm.rfc8627.sizeBeforeMask, form: .rfc8627)
    }
}
