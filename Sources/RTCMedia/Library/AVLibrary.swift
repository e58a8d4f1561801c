internal import CRTCAVFormat

/// What is set once for the whole process.
enum AVLibrary {
    /// Keeps the libraries from printing what the errors here say. A level that the program chose itself stays.
    static let quieted: Void = {
        if av_log_get_level() == AV_LOG_INFO { av_log_set_level(AV_LOG_FATAL) }
    }()

    /// The path as a URL that can be nothing but a file, whatever is in front of its first colon.
    static func url(_ path: String) -> String { "file:\(path)" }

    /// The time base of all times that are handed over.
    static let nanoseconds = AVRational(num: 1, den: 1_000_000_000)

    /// The list of options that many functions take.
    static func withDictionary<Result>(
        _ options: [String: String],
        _ body: (UnsafeMutablePointer<OpaquePointer?>) -> Result
    ) -> Result {
        var dictionary: OpaquePointer?
        for (key, value) in options { av_dict_set(&dictionary, key, value, 0) }
        defer { av_dict_free(&dictionary) }
        return body(&dictionary)
    }
}

extension Duration {
    /// Nanoseconds, rounded down; `nil` beyond 292 years.
    var nanoseconds: Int64? {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carry ? nil : sum
    }
}
