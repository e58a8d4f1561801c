/// The payload protocol identifiers of data channels (RFC 8831 section 8).
enum PayloadProtocol {
    static let control: UInt32 = 50
    static let text: UInt32 = 51
    static let binaryPartial: UInt32 = 52
    static let binary: UInt32 = 53
    static let textPartial: UInt32 = 54
    static let emptyText: UInt32 = 56
    static let emptyBinary: UInt32 = 57
}
