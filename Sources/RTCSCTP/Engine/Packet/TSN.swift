/// Numbers that begin anew after 2³², as numbers that never do.
enum TSN {
    /// The unwrapped form of `number` nearest to `reference`.
    static func unwrap(_ number: UInt32, near reference: Int64) -> Int64 {
        reference + Int64(Int32(bitPattern: number &- UInt32(truncatingIfNeeded: reference)))
    }

    static func wrap(_ number: Int64) -> UInt32 { UInt32(truncatingIfNeeded: number) }
}
