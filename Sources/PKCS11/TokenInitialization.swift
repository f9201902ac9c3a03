internal import CPKCS11
public import SecureMemory

extension Slot {
    /// Makes a new, empty token in this slot and sets its user PIN. Whatever the slot held is gone: the caller makes
    /// sure that the token is not initialised (`TokenInfo.isInitialized`).
    ///
    /// PKCS#11 v2.40 §5.5 (C_InitToken) and §5.6 (C_InitPIN, which needs a session of the security officer).
    ///
    /// - Parameter label: at most 32 bytes of UTF-8; padded with blanks as the standard asks.
    public func initializeToken(label: String, securityOfficerPIN: SecretBytes, userPIN: SecretBytes)
        throws(PKCS11Error)
    {
        var padded = Array(label.utf8.prefix(32))
        padded += Array(repeating: UInt8(ascii: " "), count: 32 - padded.count)
        try module.enter(.initToken)
        defer { module.leave() }
        try unsafe Self.withPIN(securityOfficerPIN) { pin, count throws(PKCS11Error) in
            try module.call(.initToken) { list in
                unsafe padded.withUnsafeMutableBufferPointer {
                    unsafe list.C_InitToken?(id, pin, count, $0.baseAddress)
                }
            }
        }
        let session = try slotOfToken(labelled: padded).openSession(epoch: LoginEpoch())
        try unsafe Self.withPIN(securityOfficerPIN) { pin, count throws(PKCS11Error) in
            try session.call(.login) { unsafe $0.C_Login?(session.handle, CK_USER_TYPE(CKU_SO), pin, count) }
        }
        try unsafe Self.withPIN(userPIN) { pin, count throws(PKCS11Error) in
            try session.call(.initPIN) { unsafe $0.C_InitPIN?(session.handle, pin, count) }
        }
        try session.call(.logout) { $0.C_Logout?(session.handle) }
        try session.close()
    }

    /// SoftHSM gives a token another slot number once it is initialised.
    private func slotOfToken(labelled padded: [UInt8]) throws(PKCS11Error) -> Slot {
        let label = String(decoding: padded, as: UTF8.self).trimmingSuffix(" ")
        for slot in try module.slotsWithToken() where try slot.tokenInfo().label == label { return slot }
        return self
    }

    private static func withPIN(
        _ pin: SecretBytes, _ body: (UnsafeMutablePointer<UInt8>?, CK_ULONG) throws(PKCS11Error) -> Void
    ) throws(PKCS11Error) {
        try pin.withBytes { bytes throws(PKCS11Error) in
            try unsafe bytes.withUnsafeBufferPointer { buffer throws(PKCS11Error) in
                // C takes PINs by pointers to mutable bytes and does not change them.
                try unsafe body(UnsafeMutablePointer(mutating: buffer.baseAddress), CK_ULONG(buffer.count))
            }
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self[...]
        while text.last == character { text.removeLast() }
        return String(text)
    }
}
