/// The largest descriptions that are read; beyond them parsing fails with an ``SDPError``.
public enum SDPLimits {
    /// The most bytes of a description: 1 MiB.
    public static let maximumBytes = 1 << 20
    /// The most lines of a description, empty ones at its end included.
    public static let maximumLines = 10_000
    /// The most media sections of a description.
    public static let maximumMediaSections = 256
}
