/// What INIT and INIT ACK say (RFC 9260 sections 3.3.2 and 3.3.3).
struct Initiation: Equatable {
    private static let fixedSize = 16

    var tag: UInt32
    var receiveWindow: UInt32
    var outgoingStreams: UInt16
    var maximumIncomingStreams: UInt16
    var initialTSN: UInt32
    var supportsForwardTSN = false
    var supportsReconfiguration = false
    /// INIT ACK's state cookie.
    var cookie: [UInt8]?
    /// Parameters nobody here knows that the sender wants reported, as they came.
    var unrecognized: [[UInt8]] = []

    init(
        tag: UInt32,
        receiveWindow: UInt32,
        outgoingStreams: UInt16,
        maximumIncomingStreams: UInt16,
        initialTSN: UInt32
    ) {
        self.tag = tag
        self.receiveWindow = receiveWindow
        self.outgoingStreams = outgoingStreams
        self.maximumIncomingStreams = maximumIncomingStreams
        self.initialTSN = initialTSN
        self.supportsForwardTSN = true
        self.supportsReconfiguration = true
    }

    /// Reads the value of the chunk; `nil` if it is malformed, or says what may not be said.
    init?(_ value: UnsafeRawBufferPointer) {
        guard value.count >= Self.fixedSize else { return nil }
        self.tag = value.uint32(at: 0)
        self.receiveWindow = value.uint32(at: 4)
        self.outgoingStreams = value.uint16(at: 8)
        self.maximumIncomingStreams = value.uint16(at: 10)
        self.initialTSN = value.uint32(at: 12)
        guard self.tag != 0, self.outgoingStreams != 0, self.maximumIncomingStreams != 0 else { return nil }
        var reader = ChunkReader(UnsafeRawBufferPointer(rebasing: value.dropFirst(Self.fixedSize)))
        while let parameter = reader.nextParameter() {
            guard self.read(parameter) else { return }
        }
    }

    /// - Returns: Whether the parameters after it are to be read (RFC 9260 section 3.2.1).
    private mutating func read(_ parameter: ChunkReader.Parameter) -> Bool {
        switch parameter.type {
        case ParameterType.stateCookie:
            self.cookie = Array(parameter.value)
        case ParameterType.forwardTSN:
            self.supportsForwardTSN = true
        case ParameterType.supportedExtensions:
            if parameter.value.contains(ChunkType.reconfiguration) { self.supportsReconfiguration = true }
            if parameter.value.contains(ChunkType.forwardTSN) { self.supportsForwardTSN = true }
        case 1, 5...12, 0x8000...0x8008, 0xC001...0xC006:
            // Addresses, cookies' lifetimes, authentication, padding: known, and of no use over DTLS.
            break
        default:
            if parameter.type & 0x4000 != 0, self.unrecognized.count < 8, parameter.value.count <= 64 {
                var copy: [UInt8] = []
                copy.appendParameter(parameter.type, Array(parameter.value))
                self.unrecognized.append(copy)
            }
            return parameter.type & 0x8000 != 0
        }
        return true
    }

    /// The chunk that says this.
    func chunk(_ type: UInt8) -> ControlChunk {
        var value: [UInt8] = []
        value.append(bigEndian: self.tag)
        value.append(bigEndian: self.receiveWindow)
        value.append(bigEndian: self.outgoingStreams)
        value.append(bigEndian: self.maximumIncomingStreams)
        value.append(bigEndian: self.initialTSN)
        if let cookie = self.cookie { value.appendParameter(ParameterType.stateCookie, cookie) }
        value.appendParameter(ParameterType.forwardTSN, [])
        value.appendParameter(
            ParameterType.supportedExtensions,
            [ChunkType.reconfiguration, ChunkType.forwardTSN]
        )
        for parameter in self.unrecognized { value.appendParameter(ParameterType.unrecognized, parameter) }
        return ControlChunk(type: type, value: value)
    }
}

/// What an INIT ACK's receiver carries back for us (RFC 9260 section 5.1.3).
///
/// DTLS has authenticated whoever sends it, and what a peer could forge in it, it could have said in its INIT as well: a secret
/// that only this association knows shows that it is ours, and no code protects the rest.
struct StateCookie: Equatable {
    /// A secret, three tags, what an INIT has, and flags.
    private static let size = 16 + 12 + 16 + 1

    var secret: [UInt8]
    var localTag: UInt32
    var peer: Initiation
    /// The tags of the association that was there when the cookie was made; 0 if there was none.
    var localTieTag: UInt32
    var peerTieTag: UInt32

    init(secret: [UInt8], localTag: UInt32, peer: Initiation, localTieTag: UInt32, peerTieTag: UInt32) {
        self.secret = secret
        self.localTag = localTag
        self.peer = peer
        self.localTieTag = localTieTag
        self.peerTieTag = peerTieTag
    }

    /// Reads a cookie; `nil` unless it has the secret.
    init?(_ value: UnsafeRawBufferPointer, secret: [UInt8]) {
        guard value.count >= Self.size else { return nil }
        var difference: UInt8 = 0
        for index in 0..<16 { difference |= value[index] ^ secret[index] }
        guard difference == 0,
            var peer = Initiation(UnsafeRawBufferPointer(rebasing: value[28..<44]))
        else { return nil }
        peer.supportsForwardTSN = value[44] & 1 != 0
        peer.supportsReconfiguration = value[44] & 2 != 0
        self.secret = secret
        self.localTag = value.uint32(at: 16)
        self.localTieTag = value.uint32(at: 20)
        self.peerTieTag = value.uint32(at: 24)
        self.peer = peer
    }

    var bytes: [UInt8] {
        var bytes = self.secret
        bytes.append(bigEndian: self.localTag)
        bytes.append(bigEndian: self.localTieTag)
        bytes.append(bigEndian: self.peerTieTag)
        bytes.append(bigEndian: self.peer.tag)
        bytes.append(bigEndian: self.peer.receiveWindow)
        bytes.append(bigEndian: self.peer.outgoingStreams)
        bytes.append(bigEndian: self.peer.maximumIncomingStreams)
        bytes.append(bigEndian: self.peer.initialTSN)
        bytes.append((self.peer.supportsForwardTSN ? 1 : 0) | (self.peer.supportsReconfiguration ? 2 : 0))
        return bytes
    }
}
