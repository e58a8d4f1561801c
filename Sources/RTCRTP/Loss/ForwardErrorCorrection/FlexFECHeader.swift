/// What a repair packet says before the sum of the packets that it protects.
package struct FlexFECHeader: Sendable, Hashable {
    /// Why a payload is refused.
    package enum Failure: Error, Sendable, Hashable, CaseIterable {
        /// A field or the mask is cut short, or a k bit is wrong.
        case malformed
        /// A kind that is not spoken here: retransmissions, several streams, in the draft a fixed matrix.
        case unsupported
        /// It protects nothing, or more packets than a mask can name.
        case impossibleMask
    }

    /// The sum of the protected headers.
    package var recovery: FlexFECRecovery
    /// The protected stream; `nil` in ``FlexFECForm/rfc8627``, where the RTP header names it.
    package var ssrc: SSRC?
    /// The sequence number that the mask's distances are counted from.
    package var base: UInt16
    /// The protected packets.
    package var mask: FlexFECMask

    /// A header.
    package init(recovery: FlexFECRecovery, ssrc: SSRC?, base: UInt16, mask: FlexFECMask) {
        self.recovery = recovery
        self.ssrc = ssrc
        self.base = base
        self.mask = mask
    }

    /// Reads the header at the begin of a payload; `size` becomes how many bytes it takes.
    package static func parse(
        _ payload: RawSpan,
        form: FlexFECForm,
        size: inout Int
    ) -> Result<FlexFECHeader, Failure> {
        let result =
            switch form {
            case .draft03: self.parseDraft03(payload, size: &size)
            case .rfc8627: self.parseRFC8627(payload, size: &size)
            }
        if case .success(let header) = result, header.mask.isEmpty { return .failure(.impossibleMask) }
        return result
    }

    /// How many bytes the header takes.
    package func size(form: FlexFECForm) -> Int { form.sizeBeforeMask + self.mask.wireSize }

    /// Writes the header; the caller has made sure that ``size(form:)`` bytes are there.
    func write(into bytes: UnsafeMutableRawBufferPointer, form: FlexFECForm) {
        bytes.setNetworkOrder(self.recovery.flags, at: 0)
        bytes.setNetworkOrder(self.recovery.length, at: 2)
        bytes.setNetworkOrder(self.recovery.timestamp, at: 4)
        switch form {
        case .draft03: self.writeDraft03(into: bytes)
        case .rfc8627: self.writeRFC8627(into: bytes)
        }
    }

    /// The fields that both forms begin with, and the two bits before them.
    static func parseRecovery(_ payload: RawSpan) -> (kind: UInt16, recovery: FlexFECRecovery)? {
        guard let flags: UInt16 = payload.networkOrder(at: 0), let length: UInt16 = payload.networkOrder(at: 2),
            let timestamp: UInt32 = payload.networkOrder(at: 4)
        else { return nil }
        return (flags >> 14, FlexFECRecovery(flags: flags, length: length, timestamp: timestamp))
    }
}
