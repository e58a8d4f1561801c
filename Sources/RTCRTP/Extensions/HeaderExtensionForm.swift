/// The two forms of a header extension's elements (RFC 8285 section 4).
public enum HeaderExtensionForm: Sendable, Hashable {
    /// Ids 1 to 14, values of 1 to 16 bytes (section 4.2).
    case oneByte
    /// Ids 1 to 255, values of 0 to 255 bytes (section 4.3).
    case twoByte

    /// The form that a header extension's first 16 bits name; `nil` if they name none.
    public init?(profile: UInt16) {
        switch profile {
        case 0xBEDE: self = .oneByte
        case 0x1000...0x100F: self = .twoByte
        default: return nil
        }
    }

    /// The header extension's first 16 bits.
    public var profile: UInt16 { self == .oneByte ? 0xBEDE : 0x1000 }
    /// The highest id.
    public var maximumID: UInt8 { self == .oneByte ? 14 : 255 }
    /// How many bytes stand before each value.
    public var elementHeaderSize: Int { self == .oneByte ? 1 : 2 }

    /// Whether an element of `id` and `size` bytes has this form.
    public func fits(id: UInt8, size: Int) -> Bool {
        switch self {
        case .oneByte: (1...14).contains(id) && (1...16).contains(size)
        case .twoByte: id > 0 && (0...255).contains(size)
        }
    }
}
