// draft-ietf-payload-flexible-fec-scheme-03 section 4.2: R, F, recovery fields; SSRCCount and 24 reserved bits; then for
// each stream SSRC, SN base and a mask in which a set k bit ends.

extension FlexFECHeader {
    private static let countOffset = 8
    private static let ssrcOffset = 12
    private static let baseOffset = 16

    static func parseDraft03(_ payload: RawSpan, size: inout Int) -> Result<FlexFECHeader, Failure> {
        guard let (kind, recovery) = self.parseRecovery(payload),
            let count: UInt8 = payload.networkOrder(at: self.countOffset),
            let ssrc: UInt32 = payload.networkOrder(at: self.ssrcOffset),
            let base: UInt16 = payload.networkOrder(at: self.baseOffset)
        else { return .failure(.malformed) }
        guard kind == 0, count == 1 else { return .failure(.unsupported) }
        var offset = FlexFECForm.draft03.sizeBeforeMask
        guard let mask = FlexFECMask(payload, at: &offset, form: .draft03) else { return .failure(.malformed) }
        size = offset
        return .success(FlexFECHeader(recovery: recovery, ssrc: SSRC(ssrc), base: base, mask: mask))
    }

    func writeDraft03(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.setNetworkOrder(UInt32(1) << 24, at: Self.countOffset)
        bytes.setNetworkOrder(self.ssrc?.rawValue ?? 0, at: Self.ssrcOffset)
        bytes.setNetworkOrder(self.base, at: Self.baseOffset)
        self.mask.write(into: bytes, at: FlexFECForm.draft03.sizeBeforeMask, form: .draft03)
    }
}
