/// Base64 with padding (RFC 4648 section 4), for nonces and passwords.
enum Base64 {
    static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var word: UInt32 = 0
        var held = 0
        for byte in bytes {
            word = word << 8 | UInt32(byte)
            held += 1
            guard held == 3 else { continue }
            text += [18, 12, 6, 0].map { Self.alphabet[Int(word >> $0 & 63)] }
            (word, held) = (0, 0)
        }
        if held > 0 {
            word <<= 8 * UInt32(3 - held)
            text += [18, 12, 6].prefix(held + 1).map { Self.alphabet[Int(word >> $0 & 63)] }
            text += repeatElement(UInt8(ascii: "="), count: 3 - held)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes, `nil` if a character or the length is wrong.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var held = 0
        var padding = 0
        for character in text {
            if character == UInt8(ascii: "=") {
                padding += 1
            } else if padding > 0 {
                return nil
            }
            guard let value = padding > 0 ? 0 : Self.value(of: character) else { return nil }
            word = word << 6 | UInt32(value)
            held += 1
            guard held == 4 else { continue }
            bytes += [UInt8(word >> 16 & 0xFF), UInt8(word >> 8 & 0xFF), UInt8(word & 0xFF)]
            (word, held) = (0, 0)
        }
        return padding <= 2 ? bytes.dropLast(padding) : nil
    }

    private static func value(of character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return Int(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return Int(character) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return Int(character) + 4
        case UInt8(ascii: "+"): return 62
        case UInt8(ascii: "/"): return 63
        default: return nil
        }
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}
