internal import CRTCOpenSSL

/// A cipher whose key was set up once, and which takes a new initialization vector for each packet.
struct CipherContext: ~Copyable {
    private let context: OpaquePointer

    init(_ cipher: OpaquePointer?, key: [UInt8], seals: Bool) throws(SRTPError) {
        guard let context = EVP_CIPHER_CTX_new() else { throw SRTPError(.library, "no memory for a cipher") }
        guard EVP_CipherInit_ex(context, cipher, nil, key, nil, seals ? 1 : 0) == 1 else {
            EVP_CIPHER_CTX_free(context)
            throw SRTPError(.library, "the cipher cannot be set up")
        }
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(self.context) }

    /// Begins a packet.
    func begin(_ initializationVector: UnsafePointer<UInt8>) -> Bool {
        EVP_CipherInit_ex(self.context, nil, nil, nil, initializationVector, -1) == 1
    }

    /// Adds what is authenticated and not encrypted.
    func authenticate(_ bytes: UnsafeRawPointer, count: Int) -> Bool {
        guard count > 0 else { return true }
        var done: Int32 = 0
        let input = bytes.assumingMemoryBound(to: UInt8.self)
        return EVP_CipherUpdate(self.context, nil, &done, input, Int32(truncatingIfNeeded: count)) == 1
    }

    /// Encrypts or decrypts; `output` is `input` or has nothing in common with it.
    func update(_ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, count: Int) -> Bool {
        guard count > 0 else { return true }
        var done: Int32 = 0
        return EVP_CipherUpdate(
            self.context,
            output.assumingMemoryBound(to: UInt8.self),
            &done,
            input.assumingMemoryBound(to: UInt8.self),
            Int32(truncatingIfNeeded: count)
        ) == 1
    }

    /// Ends an AEAD packet. When opening, `false` means that the tag given by ``expect(_:count:)`` is wrong.
    func finish() -> Bool {
        var done: Int32 = 0
        var nothing: UInt8 = 0
        return EVP_CipherFinal_ex(self.context, &nothing, &done) == 1
    }

    /// The AEAD tag of the packet that ended.
    func tag(into output: UnsafeMutableRawPointer, count: Int) -> Bool {
        EVP_CIPHER_CTX_ctrl(self.context, EVP_CTRL_AEAD_GET_TAG, Int32(truncatingIfNeeded: count), output) == 1
    }

    /// The AEAD tag the packet must have.
    func expect(_ tag: UnsafeMutableRawPointer, count: Int) -> Bool {
        EVP_CIPHER_CTX_ctrl(self.context, EVP_CTRL_AEAD_SET_TAG, Int32(truncatingIfNeeded: count), tag) == 1
    }
}
