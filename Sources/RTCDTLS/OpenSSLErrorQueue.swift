internal import CRTCOpenSSL

/// The thread's queue of OpenSSL errors.
enum OpenSSLErrorQueue {
    /// Forgets everything that is queued, so that nothing of it is blamed on a later call.
    static func clear() {
        ERR_clear_error()
    }

    /// The latest error's text, emptying the queue; `fallback` when there is none.
    static func takeText(or fallback: String) -> String {
        let code = ERR_peek_last_error()
        defer { ERR_clear_error() }
        guard code != 0, let reason = ERR_reason_error_string(code) else { return fallback }
        return String(cString: reason)
    }

    /// An error with the latest entry's text, emptying the queue.
    static func takeError(_ code: DTLSError.Code, _ what: String) -> DTLSError {
        DTLSError(code, "\(what): \(self.takeText(or: "no reason given"))")
    }
}
