/// Which packets of a batch share a repair packet.
package enum FlexFECPattern: Sendable, Hashable, CaseIterable {
    /// Every nth packet: a burst hits each repair packet once.
    case interleaved
    /// Neighbours: a loss can be repaired soonest.
    case rows
    /// Half of the repair packets each way: each packet is protected twice.
    case grid

    /// Whether repair packet `repair` of `repairs` protects packet `packet` of `packets`, all from 0.
    func protects(_ packet: Int, of packets: Int, by repair: Int, of repairs: Int) -> Bool {
        switch self {
        case .interleaved: return packet % repairs == repair
        case .rows: return packet * repairs / packets == repair
        case .grid:
            let columns = (repairs + 1) / 2
            return repair < columns
                ? FlexFECPattern.interleaved.protects(packet, of: packets, by: repair, of: columns)
                : FlexFECPattern.rows.protects(packet, of: packets, by: repair - columns, of: repairs - columns)
        }
    }
}
