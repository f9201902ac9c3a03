internal import PKCS11
internal import Testing

@Suite struct ReturnValueTests {
    @Test func `An error reads as its function and the name of the code`() {
        #expect(PKCS11Error(.login, ReturnValue(rawValue: 0xA0)).description == "C_Login: CKR_PIN_INCORRECT")
        #expect(PKCS11Error(.decrypt, .aeadDecryptFailed).description == "C_Decrypt: CKR_AEAD_DECRYPT_FAILED")
    }

    @Test func `A code that the standard does not name is shown as it came`() {
        #expect(ReturnValue(rawValue: 0x8000_0042).description == "CKR_VENDOR_DEFINED 0x80000042")
        #expect(ReturnValue(rawValue: 0x7FF).description == "CK_RV 0x7ff")
    }
}
