public import NIOCore
public import RTCBase

/// Writes one STUN message: the header at once, then attribute by attribute in the order called.
public struct STUNMessageBuilder {
    private var buffer: ByteBuffer
    private let transactionID: STUNTransactionID

    /// Begins a message.
    public init(
        _ messageClass: STUNClass,
        _ method: STUNMethod,
        _ transactionID: STUNTransactionID,
        allocator: ByteBufferAllocator = .init()
    ) {
        self.transactionID = transactionID
        self.buffer = allocator.buffer(capacity: 160)
        self.buffer.writeInteger(STUNMessageType.encode(messageClass, method))
        self.buffer.writeInteger(UInt16(0))
        self.buffer.writeInteger(STUNMessage.magicCookie)
        self.buffer.writeInteger(transactionID.high)
        self.buffer.writeInteger(transactionID.low)
    }

    /// Appends an attribute of any type. A value that would make the message longer than 65,000 bytes is cut.
    public mutating func append(_ type: STUNAttributeType, bytes: some Collection<UInt8>) {
        let count = min(bytes.count, max(0, 65_000 - self.buffer.readableBytes))
        self.appendHeader(type, count: count)
        self.buffer.writeBytes(bytes.prefix(count))
        self.buffer.writeRepeatingByte(0, count: -count & 3)
    }

    /// Appends an attribute whose value is a number in network order (PRIORITY, ICE-CONTROLLING and so on).
    public mutating func append(_ type: STUNAttributeType, integer: some FixedWidthInteger) {
        let size = integer.bitWidth / 8
        self.appendHeader(type, count: size)
        self.buffer.writeInteger(integer)
        self.buffer.writeRepeatingByte(0, count: -size & 3)
    }

    /// Appends an attribute whose value is text (USERNAME, SOFTWARE and so on), cut at 763 bytes (RFC 8489 section 14).
    public mutating func append(_ type: STUNAttributeType, text: String) {
        self.append(type, bytes: text.utf8.prefix(763))
    }

    /// Appends an attribute without a value (USE-CANDIDATE).
    public mutating func append(_ type: STUNAttributeType) {
        self.appendHeader(type, count: 0)
    }

    /// Appends an address: XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS in their disguise, every other
    /// type plainly.
    public mutating func append(_ type: STUNAttributeType, address: TransportAddress) {
        let isXORed = type.isXORedAddress
        let port = isXORed ? address.port ^ UInt16(STUNMessage.magicCookie >> 16) : address.port
        switch address.family {
        case .ipv4:
            self.appendHeader(type, count: 8)
            self.buffer.writeInteger(UInt16(1))
            self.buffer.writeInteger(port)
            let bits = UInt32(truncatingIfNeeded: address.ipLow)
            self.buffer.writeInteger(isXORed ? bits ^ STUNMessage.magicCookie : bits)
        case .ipv6:
            self.appendHeader(type, count: 20)
            self.buffer.writeInteger(UInt16(2))
            self.buffer.writeInteger(port)
            let mask = isXORed ? self.transactionID.addressMask : (high: 0, low: 0)
            self.buffer.writeInteger(address.ipv6High ^ mask.high)
            self.buffer.writeInteger(address.ipLow ^ mask.low)
        }
    }

    /// Appends ERROR-CODE.
    ///
    /// - Parameter code: 300 to 699; others are brought into that range.
    public mutating func appendErrorCode(_ code: Int, reason: String) {
        let code = min(max(code, 300), 699)
        let head: [UInt8] = [0, 0, UInt8(code / 100), UInt8(code % 100)]
        self.append(.errorCode, bytes: head + Array(reason.utf8.prefix(128)))
    }

    /// Appends UNKNOWN-ATTRIBUTES.
    public mutating func appendUnknownAttributes(_ types: [STUNAttributeType]) {
        let bytes = types.flatMap { [UInt8($0.rawValue >> 8), UInt8($0.rawValue & 0xFF)] }
        self.append(.unknownAttributes, bytes: bytes)
    }

    /// Appends MESSAGE-INTEGRITY over all that was appended before.
    public mutating func appendIntegrity(_ key: STUNIntegrityKey) {
        self.setLength(adding: 24)
        let code = key.codeSHA1(of: self.buffer.readableBytesSpan)
        self.append(.messageIntegrity, bytes: code)
    }

    /// Appends MESSAGE-INTEGRITY-SHA256 over all that was appended before.
    public mutating func appendIntegritySHA256(_ key: STUNIntegrityKey) {
        self.setLength(adding: 36)
        let code = key.codeSHA256(of: self.buffer.readableBytesSpan)
        self.append(.messageIntegritySHA256, bytes: code)
    }

    /// Appends FINGERPRINT over all that was appended before. Nothing may follow.
    public mutating func appendFingerprint() {
        self.setLength(adding: 8)
        let checksum = CRC32.checksum(of: self.buffer.readableBytesSpan, count: self.buffer.readableBytes)
        self.append(.fingerprint, integer: checksum ^ STUNMessage.fingerprintMask)
    }

    /// The message.
    public mutating func finish() -> ByteBuffer {
        self.setLength(adding: 0)
        return self.buffer
    }

    private mutating func appendHeader(_ type: STUNAttributeType, count: Int) {
        self.buffer.writeInteger(type.rawValue)
        self.buffer.writeInteger(UInt16(count))
    }

    private mutating func setLength(adding bytes: Int) {
        let length = self.buffer.readableBytes - STUNMessage.headerSize + bytes
        self.buffer.setInteger(UInt16(clamping: length), at: self.buffer.readerIndex + 2)
    }
}
