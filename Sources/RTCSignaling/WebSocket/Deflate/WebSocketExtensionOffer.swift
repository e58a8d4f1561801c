/// One member of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).
struct WebSocketExtensionOffer: Equatable {
    struct Parameter: Equatable {
        var name: String
        /// nil where there is none; without the quotes that it may have had.
        var value: String?
    }

    var name: String
    var parameters: [Parameter]

    /// The members of the header's values, in their order; nil if one cannot be read.
    static func parse(_ values: [String]) -> [WebSocketExtensionOffer]? {
        var offers: [WebSocketExtensionOffer] = []
        for value in values {
            var scanner = Scanner(rest: Substring(value).unicodeScalars)
            repeat {
                scanner.skipSpaces()
                // Lists may have empty members (RFC 9110 section 5.6.1).
                if scanner.isAtSeparator { continue }
                guard let name = scanner.token() else { return nil }
                var offer = WebSocketExtensionOffer(name: name, parameters: [])
                while scanner.take(";") {
                    guard let name = scanner.token() else { return nil }
                    guard scanner.take("=") else {
                        offer.parameters.append(Parameter(name: name))
                        continue
                    }
                    guard let value = scanner.quoted() ?? scanner.token() else { return nil }
                    offer.parameters.append(Parameter(name: name, value: value))
                }
                offers.append(offer)
            } while scanner.take(",")
            guard scanner.rest.isEmpty else { return nil }
        }
        return offers
    }

    private struct Scanner {
        var rest: Substring.UnicodeScalarView

        var isAtSeparator: Bool { self.rest.isEmpty || self.rest.first == "," }

        mutating func skipSpaces() { self.rest = self.rest.drop { $0 == " " || $0 == "\t" } }

        /// Takes a sign with the spaces around it, if it is next.
        mutating func take(_ sign: Unicode.Scalar) -> Bool {
            self.skipSpaces()
            guard self.rest.first == sign else { return false }
            self.rest.removeFirst()
            self.skipSpaces()
            return true
        }

        /// A token (RFC 9110 section 5.6.2); nil if there is none.
        mutating func token() -> String? {
            let token = self.rest.prefix(while: Self.isTokenSign)
            guard !token.isEmpty else { return nil }
            self.rest = self.rest[token.endIndex...]
            return String(token)
        }

        /// What stands between quotes, which must be a token too; nil if there is none.
        mutating func quoted() -> String? {
            guard self.rest.first == "\"" else { return nil }
            var inside = self
            inside.rest.removeFirst()
            guard let token = inside.token(), inside.rest.first == "\"" else { return nil }
            inside.rest.removeFirst()
            self = inside
            return token
        }

        private static func isTokenSign(_ sign: Unicode.Scalar) -> Bool {
            switch sign {
            case "a"..."z", "A"..."Z", "0"..."9": return true
            default: return "!#$%&'*+-.^_`|~".unicodeScalars.contains(sign)
            }
        }
    }
}
