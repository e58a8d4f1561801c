/// JSON as far as SockJS needs it: strings, and arrays of strings (RFC 8259).
package enum JSONStrings {
    /// Reads an array of strings, or one string; nil if it is anything else.
    ///
    /// Half of a surrogate pair, which JavaScript can send and Unicode does not have, becomes U+FFFD.
    package static func decode(_ bytes: some Sequence<UInt8>) -> [String]? {
        var reader = JSONReader(bytes, maximumDepth: 1, allowsControlCharacters: true)
        return reader.readStrings()
    }

    /// `["…","…"]`.
    package static func encode(_ strings: some Sequence<String>) -> String {
        var writer = JSONWriter(escaping: .forBrowsers)
        writer.beginArray()
        for string in strings { writer.write(string) }
        writer.endArray()
        return writer.text
    }

    /// `"…"`.
    ///
    /// - Parameter escapingMarkup: Whether `<` is escaped, for a string that stands in a script element.
    package static func encode(_ string: String, escapingMarkup: Bool = false) -> String {
        var writer = JSONWriter(escaping: escapingMarkup ? .forScripts : .forBrowsers)
        writer.write(string)
        return writer.text
    }
}

extension JSONReader {
    /// A whole document that is an array of strings, or one string.
    fileprivate mutating func readStrings() -> [String]? {
        var strings: [String] = []
        switch self.readToken() {
        case .string(let string): strings.append(string)
        case .array:
            while self.readsElement() {
                guard case .string(let string) = self.readToken() else { return nil }
                strings.append(string)
            }
        default: return nil
        }
        return self.isComplete() ? strings : nil
    }
}
