/// Why a TLS connection did not come about, in words, for whichever library makes it.
package enum TLSFailure {
    /// What a peer's certificate is refused for; nil for everything else.
    ///
    /// The libraries tell this by the text of errors only, each inside others of its own.
    package static func describe(_ error: any Error) -> String? {
        let text = String(reflecting: error)
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "the certificate is not trusted: no trusted authority issued it, or it is not valid now"
        }
        if text.contains("failedToValidateHostname") { return "the certificate is for another name" }
        return nil
    }
}
