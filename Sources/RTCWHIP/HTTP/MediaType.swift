import RTCSignaling

/// The media types of bodies (RFC 8866 section 8.2.1, RFC 8840 section 9, RFC 9457 section 3).
enum MediaType {
    static let sdp = "application/sdp"
    static let fragment = "application/trickle-ice-sdpfrag"
    static let problem = "application/problem+json"

    /// The type of a `Content-Type` field without its parameters, in lower case; empty if there is none.
    static func essence(_ field: String?) -> String {
        (field ?? "").prefix { $0 != ";" }.trimmingSpaces().lowercased()
    }
}
