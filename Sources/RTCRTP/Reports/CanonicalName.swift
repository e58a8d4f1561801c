public import RTCBase

/// The name that ties a sender's streams together in RTCP.
public enum CanonicalName {
    /// A name of 96 random bits, new for each session so that nobody can follow it from one to the next (RFC 7022 section
    /// 4.2).
    public static func random(using random: inout RandomSource) -> String { random.iceCharacters(count: 16) }
}
