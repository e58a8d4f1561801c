/// The types of chunks (RFC 9260 section 3.2, RFC 3758, RFC 6525).
enum ChunkType {
    static let data: UInt8 = 0
    static let initiation: UInt8 = 1
    static let initiationAck: UInt8 = 2
    static let sack: UInt8 = 3
    static let heartbeat: UInt8 = 4
    static let heartbeatAck: UInt8 = 5
    static let abort: UInt8 = 6
    static let shutdown: UInt8 = 7
    static let shutdownAck: UInt8 = 8
    static let error: UInt8 = 9
    static let cookieEcho: UInt8 = 10
    static let cookieAck: UInt8 = 11
    static let shutdownComplete: UInt8 = 14
    static let reconfiguration: UInt8 = 130
    static let forwardTSN: UInt8 = 192
}

/// The types of parameters (RFC 9260 section 3.3.2, RFC 3758, RFC 5061, RFC 6525).
enum ParameterType {
    static let heartbeatInfo: UInt16 = 1
    static let stateCookie: UInt16 = 7
    static let unrecognized: UInt16 = 8
    static let outgoingReset: UInt16 = 13
    static let incomingReset: UInt16 = 14
    static let associationReset: UInt16 = 15
    static let response: UInt16 = 16
    static let addOutgoingStreams: UInt16 = 17
    static let addIncomingStreams: UInt16 = 18
    static let supportedExtensions: UInt16 = 0x8008
    static let forwardTSN: UInt16 = 0xC000
}

/// The causes of errors that are told or read here (RFC 9260 section 3.3.10).
enum ErrorCause {
    static let staleCookie: UInt16 = 3
    static let unrecognizedChunk: UInt16 = 6
    static let noUserData: UInt16 = 9
    static let userInitiatedAbort: UInt16 = 12
    static let protocolViolation: UInt16 = 13
}

/// The flags of DATA chunks (RFC 9260 section 3.3.1).
struct DataFlags: OptionSet {
    let rawValue: UInt8

    static let end = DataFlags(rawValue: 1)
    static let beginning = DataFlags(rawValue: 2)
    static let unordered = DataFlags(rawValue: 4)
    static let immediate = DataFlags(rawValue: 8)
}
