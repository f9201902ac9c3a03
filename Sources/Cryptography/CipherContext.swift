internal import CLibCrypto

/// One EVP_CIPHER_CTX for one message. Freeing it clears the key schedule.
@safe
struct CipherContext: ~Copyable {
    enum Direction: CInt {
        case decrypt = 0
        case encrypt = 1
    }

    let pointer: OpaquePointer
    private let algorithm: OpaquePointer

    init(_ algorithm: OpaquePointer?, _ name: StaticString) throws(CryptographyError) {
        let algorithm = try unsafe FetchedAlgorithms.require(algorithm, name)
        guard let pointer = unsafe EVP_CIPHER_CTX_new() else { throw .fromLibrary("EVP_CIPHER_CTX_new") }
        unsafe self.algorithm = algorithm
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_CIPHER_CTX_free(pointer) }

    /// Sets key and IV. The caller has checked the key's length against the algorithm.
    func start(_ direction: Direction, key: Span<UInt8>, iv: Span<UInt8>) throws(CryptographyError) {
        guard unsafe EVP_CipherInit_ex2(pointer, algorithm, nil, nil, direction.rawValue, nil) == 1 else {
            throw .fromLibrary("EVP_CipherInit_ex2")
        }
        guard unsafe clibcrypto_set_iv_length(pointer, CInt(iv.count)) == 1 else {
            throw .fromLibrary("EVP_CTRL_AEAD_SET_IVLEN", code: .invalidLength)
        }
        let status = unsafe key.withUnsafeBufferPointer { key in
            unsafe iv.withUnsafeBufferPointer { iv in
                unsafe EVP_CipherInit_ex2(pointer, nil, key.baseAddress, iv.baseAddress, direction.rawValue, nil)
            }
        }
        guard status == 1 else { throw .fromLibrary("EVP_CipherInit_ex2") }
    }

    /// Sets the key of a mode without IV.
    func start(_ direction: Direction, key: Span<UInt8>) throws(CryptographyError) {
        let status = unsafe key.withUnsafeBufferPointer { key in
            unsafe EVP_CipherInit_ex2(pointer, algorithm, key.baseAddress, nil, direction.rawValue, nil)
        }
        guard status == 1 else { throw .fromLibrary("EVP_CipherInit_ex2") }
    }

    func authenticate(_ associatedData: Span<UInt8>) throws(CryptographyError) {
        guard !associatedData.isEmpty else { return }
        var written: CInt = 0
        // No output address: the input is associated data (EVP_EncryptInit(3), "AEAD Interface").
        let status = unsafe associatedData.withUnsafeBufferPointer {
            unsafe EVP_CipherUpdate(pointer, nil, &written, $0.baseAddress, CInt($0.count))
        }
        guard status == 1 else { throw .fromLibrary("EVP_CipherUpdate") }
    }

    /// Writes exactly `input.count` bytes to `output`, which must be at least as long.
    func update(
        _ input: Span<UInt8>, to output: UnsafeMutableBufferPointer<UInt8>
    ) throws(CryptographyError) {
        guard !input.isEmpty else { return }
        var written: CInt = 0
        let status = unsafe input.withUnsafeBufferPointer {
            unsafe EVP_CipherUpdate(pointer, output.baseAddress, &written, $0.baseAddress, CInt($0.count))
        }
        guard status == 1, Int(written) == input.count else { throw .fromLibrary("EVP_CipherUpdate") }
    }

    /// True when the message is complete and, in decryption, authentic.
    func finish() -> Bool {
        var scratch: (UInt64, UInt64) = (0, 0)
        var written: CInt = 0
        return unsafe withUnsafeMutableBytes(of: &scratch) {
            unsafe EVP_CipherFinal_ex(pointer, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), &written) == 1
        }
    }
}
