internal import CRTCAVFormat
internal import RTCMediaFiles

/// Errors of FFmpeg's libraries, in their own words.
enum AVFailure {
    /// An error for a code that a function returned.
    static func error(_ code: CInt, _ action: String) -> MediaFileError {
        MediaFileError(self.kind(code), "cannot \(action): \(self.text(code))")
    }

    /// Throws if a function returned a code below zero.
    @discardableResult
    static func check(_ code: CInt, _ action: String) throws(MediaFileError) -> CInt {
        guard code >= 0 else { throw self.error(code, action) }
        return code
    }

    /// What is thrown where memory cannot be had.
    static func noMemory(_ action: String) -> MediaFileError {
        self.error(crtc_av_error_no_memory(), action)
    }

    private static func kind(_ code: CInt) -> MediaFileError.Code {
        if crtc_av_is_invalid_data(code) != 0 { return .malformed }
        return crtc_av_is_unsupported(code) != 0 ? .unsupported : .inputOutput
    }

    private static func text(_ code: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress, av_strerror(code, start, buffer.count) >= 0 else {
                return "error \(code)"
            }
            return String(cString: start)
        }
    }
}
